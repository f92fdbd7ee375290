import type { Snapshots, StepKey, StepRecord, StepRecords } from '../ports.ts';

/** Looks a key up. A record counts only while its layer is stored. */
export async function probe(
  ports: { readonly records: StepRecords; readonly snapshots: Snapshots },
  key: StepKey,
): Promise<StepRecord | undefined> {
  const record = await ports.records.get(key.digest);
  return record && (await ports.snapshots.has(record.layer.chainId)) ? record : undefined;
}
