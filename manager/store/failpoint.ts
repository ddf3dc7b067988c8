/**
 * Named points inside the stores at which a test ends the process as `kill -9` does, to prove what survives:
 *
 * - M2 the rows of an append are written, its cursors are not · M3 the cursors too, before the end of the transaction
 * - M7 while a schema is brought up: before, inside and after each step
 * - M8 while retention deletes: in its transactions, and between what they change and the files that they name
 * - M9 when the store comes back after an error, before and after what it settles then
 */
export type StoreFailpoint = (name: 'M2' | 'M3' | 'M7' | 'M8' | 'M9') => void;

export const noStoreFailpoint: StoreFailpoint = () => undefined;
