import { z } from 'zod';
import { deliverySchema } from '../../../common/model/rule.ts';
import { wholeNumber } from '../query-values.ts';

const id = z.string().regex(/^[0-9a-f-]{36}$/);

export const deliveryQuery = z.object({
  state: deliverySchema.shape.state.optional(),
  rule: id.optional().describe('Only of this rule.'),
  limit: wholeNumber({ min: 1, max: 500 }).default(100),
  before: id.optional().describe('Id of a delivery: those before it.'),
});
export const deliveryListAnswer = z.array(deliverySchema);
