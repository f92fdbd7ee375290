import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { BerthError } from '../../../errors/index.ts';
import { fileSystemOf } from '../../linux/mount-table.ts';
import { probeOverlay } from '../../linux/overlay-probe.ts';
import { writeJson } from '../durable.ts';
import type { DriverName } from './driver.ts';

export interface DriverChoice {
  readonly driver: DriverName;
  /** For people: `overlay works on ext4`. */
  readonly why: string;
  /** Of the data folder: `ext4`. */
  readonly fileSystem: string;
}

export interface ChooseOptions {
  /** `<root>/layout-v1`. It may be missing yet. */
  readonly dataFolder: string;
  /** What the user asked for. */
  readonly wanted?: DriverName | undefined;
}

/**
 * The storage driver for a data folder: the one that made what is in it, else the one asked for, else the best that
 * works there. Changes nothing.
 * @throws BerthError `conflict` when the folder was begun with another than asked for, `unsupported` when that does not work
 */
export function chooseDriver({ dataFolder, wanted }: ChooseOptions): DriverChoice {
  const folder = nearestFolder(dataFolder);
  const fileSystem = fileSystemOf(folder);
  const begun = isEmpty(dataFolder) ? undefined : readNote(dataFolder);
  if (begun && wanted && begun.driver !== wanted) {
    throw new BerthError(
      'conflict',
      `the data in ${dataFolder} was begun with the storage driver ${begun.driver}, not ${wanted}`,
      {
        hint: `set BERTH_STORAGE_DRIVER=${begun.driver} or unset it; to change, set BERTH_ROOT to a new folder and take images along with 'berth save' and 'berth load'`,
      },
    );
  }
  if (wanted) {
    if (!begun) check(wanted, folder, fileSystem);
    return { driver: wanted, why: 'BERTH_STORAGE_DRIVER', fileSystem };
  }
  return begun ? { ...begun, fileSystem } : { ...bestOf(folder, fileSystem), fileSystem };
}

/** Chooses, and notes the choice in the data folder, which exists. */
export async function settleDriver(options: ChooseOptions): Promise<DriverChoice> {
  const choice = chooseDriver(options);
  const { driver, why } = choice;
  const file = noteFile(options.dataFolder);
  const isNoted = existsSync(file) && readNote(options.dataFolder).driver === driver;
  if (!isNoted) await writeJson(file, { driver, why }, { sync: true });
  return choice;
}

type Note = Pick<DriverChoice, 'driver' | 'why'>;

function noteFile(dataFolder: string): string {
  return `${dataFolder}/storage.json`;
}

/** Data without a note is of the time when there was one driver. */
function readNote(dataFolder: string): Note {
  try {
    return JSON.parse(readFileSync(noteFile(dataFolder), 'utf8')) as Note;
  } catch {
    return { driver: 'overlay2', why: 'the data folder was begun with it' };
  }
}

function isEmpty(dataFolder: string): boolean {
  return ['layers', 'roots'].every((name) => {
    const folder = `${dataFolder}/${name}`;
    return !existsSync(folder) || readdirSync(folder).length === 0;
  });
}

function bestOf(folder: string, fileSystem: string): Note {
  if (fileSystem === 'btrfs') return { driver: 'btrfs', why: 'the data folder is on btrfs' };
  try {
    probeOverlay(folder);
    return { driver: 'overlay2', why: `overlay works on ${fileSystem}` };
  } catch (error) {
    return { driver: 'vfs', why: `overlay does not work on ${fileSystem}: ${codeOf(error)}` };
  }
}

function check(driver: DriverName, folder: string, fileSystem: string): void {
  if (driver === 'overlay2') probeOverlay(folder);
  if (driver !== 'btrfs' || fileSystem === 'btrfs') return;
  throw new BerthError(
    'unsupported',
    `the storage driver btrfs needs BERTH_ROOT on btrfs, and it is on ${fileSystem}`,
    {
      hint: 'unset BERTH_STORAGE_DRIVER, or set BERTH_ROOT to a folder on btrfs',
    },
  );
}

function codeOf(error: unknown): string {
  const { cause = error } = error as Error;
  return (cause as NodeJS.ErrnoException).code ?? (error as Error).message;
}

function nearestFolder(path: string): string {
  return existsSync(path) ? path : nearestFolder(dirname(path));
}
