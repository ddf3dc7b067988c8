import type { Notices } from '../models/notices.ts';
import type { Dialogs, PageDeps } from '../models/page-deps.ts';
import type { View } from '../views/base/view.ts';

type Kinds = typeof import('../views/widgets/ops/dialogs.ts');

export interface DialogParts {
  parent: () => View;
  deps: () => PageDeps;
  notices: Notices;
}

/** Opens the dialogs of operations. Their code is loaded when the first of them is wanted; one is open at a time. */
export function createDialogs({ parent, deps, notices }: DialogParts): Dialogs {
  let loading = false;

  async function open(make: (kinds: Kinds) => { open(): unknown }): Promise<void> {
    if (loading || document.querySelector('dialog[open]') !== null) return;
    loading = true;
    // Whatever a browser says when a part of the program cannot be fetched, it means the same.
    const kinds = await import('../views/widgets/ops/dialogs.ts').catch(() => null);
    loading = false;
    if (kinds !== null) make(kinds).open();
    else
      notices.sayError('This dialog could not be loaded', {
        message: 'The manager did not send it; it may have been updated meanwhile. Reload the page and try again.',
      });
  }

  const own = () => ({ parent: parent(), deps: deps() });
  return {
    launch: (preset = {}) => void open(({ LaunchDialog }) => new LaunchDialog({ ...own(), preset })),
    migrate: (instance) => void open(({ MigrateDialog }) => new MigrateDialog({ ...own(), instance })),
    removeInstance: (instance) => void open(({ DeleteDialog }) => new DeleteDialog({ ...own(), instance })),
    registerImage: (preset = {}) => void open(({ RegisterDialog }) => new RegisterDialog({ ...own(), preset })),
    forgetImage: (image) => void open(({ ForgetDialog }) => new ForgetDialog({ ...own(), image })),
  };
}
