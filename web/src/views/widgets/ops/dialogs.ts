// The dialogs of operations and their styles: one part of the program, loaded when the first of them is opened.
import '../../../styles/ops-dialogs.css';

export { DeleteDialog } from './delete-dialog.ts';
export { ForgetDialog } from './forget-dialog.ts';
export { LaunchDialog } from './launch-dialog.ts';
export { MigrateDialog } from './migrate-dialog.ts';
export { RegisterDialog } from './register-dialog.ts';
