// Pages of lines beside the live one, and of rules: loaded when the first of them is wanted, or the browser has time.
import '../../styles/ledger.css';
import '../../styles/rules.css';
import '../../styles/ways-in.css';
import { LedgerPage } from './ledger-page.ts';
import { LinePage } from './line-page.ts';
import type { PageKinds } from './page-kinds.ts';
import { RulePage } from './rule-page.ts';
import { RulesPage } from './rules-page.ts';

export const KINDS: PageKinds = { ledger: LedgerPage, line: LinePage, rules: RulesPage, rule: RulePage };
