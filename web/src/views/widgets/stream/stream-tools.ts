import '../../../styles/live-dialogs.css';

// What the live page opens now and then: loaded when the first of it is wanted.
export { ExportDialog } from './export-dialog.ts';
export { KeepsDialog } from './keeps-dialog.ts';
export { JumpDialog, SearchesDialog } from './search-dialogs.ts';
export { SplitStream } from './split-stream.ts';
export { ViewMenu } from './view-menu.ts';
