import { appendFileSync } from 'node:fs';

/** The variable that names the file in which tests note the engines that they start. */
export const LEDGER = 'BERTH_TEST_LEDGER';

export interface LedgerEntry {
  /** The engine's data, by which its things are marked. */
  readonly root: string;
  /** Everything else of it is below. */
  readonly folder: string;
}

/** Notes an engine, whose things are looked for when all tests are over. */
export function noteEngine(entry: LedgerEntry): void {
  const file = process.env[LEDGER];
  if (file) appendFileSync(file, `${JSON.stringify(entry)}\n`);
}
