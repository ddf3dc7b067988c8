// Pages of computations, loaded when the first of them is wanted, or the browser has time.
import '../../styles/compute.css';
import '../../styles/notebook.css';
import { ComputePage } from './compute-page.ts';
import type { PageKinds } from './page-kinds.ts';
import { SessionPage } from './session-page.ts';

export const KINDS: PageKinds = { compute: ComputePage, session: SessionPage };
