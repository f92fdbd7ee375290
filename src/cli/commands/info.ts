import type { InfoBody } from '../../api/contract/index.ts';
import { visibleText } from '../../format/index.ts';
import { compileTemplate } from '../../format/template/index.ts';
import { humanBinarySize } from '../../units/index.ts';
import type { Command } from '../context.ts';
import { exitCodes } from '../exit-codes.ts';
import { printError } from '../print-error.ts';
import { clientVersion } from './client-version.ts';

/** Lines of the server part: label, field, and how its value is written. Absent fields are left out. */
const LINES: readonly (readonly [label: string, field: string, write?: (value: unknown, info: InfoBody) => string])[] =
  [
    ['Containers', 'Containers'],
    [' Running', 'ContainersRunning'],
    [' Paused', 'ContainersPaused'],
    [' Stopped', 'ContainersStopped'],
    ['Images', 'Images'],
    ['Server Version', 'ServerVersion'],
    ['Storage Driver', 'Driver'],
    ['Logging Driver', 'LoggingDriver'],
    ['Cgroup Driver', 'CgroupDriver'],
    ['Cgroup Version', 'CgroupVersion'],
    ['Runtimes', 'Runtimes', (value) => Object.keys(value as object).join(' ')],
    ['Default Runtime', 'DefaultRuntime'],
    ['Init Binary', 'InitBinary'],
    ['Kernel Version', 'KernelVersion'],
    ['Operating System', 'OperatingSystem'],
    ['OSType', 'OSType'],
    ['Architecture', 'Architecture'],
    ['CPUs', 'NCPU'],
    ['Total Memory', 'MemTotal', (value) => humanBinarySize(Number(value))],
    ['Name', 'Name'],
    ['ID', 'ID'],
    ['Root Dir', 'DockerRootDir'],
    ['Debug Mode', 'Debug'],
  ];

export const run: Command = async ({ flags, engine, environment }) => {
  const { stdout, stderr } = environment;
  const format = flags.string('format') ?? '';
  const template = format === '' || format === 'json' ? undefined : compileTemplate(format);
  let info: InfoBody = {};
  let failure: unknown;
  try {
    info = await engine.json<InfoBody>('GET', '/info');
  } catch (error) {
    failure = error;
  }
  const facts = { ...info, ClientInfo: { Version: clientVersion, Context: 'default', Host: engine.host.url } };
  if (template) stdout.write(`${template.render(facts)}\n`);
  else
    stdout.write(format === 'json' ? `${JSON.stringify(facts)}\n` : text(info, engine.host.url, failure !== undefined));
  const warnings = Array.isArray(info['Warnings']) ? info['Warnings'] : [];
  if (format === '') for (const warning of warnings) stderr.write(`${visibleText(String(warning))}\n`);
  if (failure === undefined) return exitCodes.ok;
  printError(stderr, failure);
  return exitCodes.failure;
};

function text(info: InfoBody, host: string, failed: boolean): string {
  const client = ['Client: Berth', ` Version:    ${clientVersion}`, ' Context:    default', ` Host:       ${host}`];
  if (failed) return `${client.join('\n')}\n`;
  const server = LINES.flatMap(([label, field, write]) => {
    const value = info[field];
    if (value === undefined || value === null || value === '') return [];
    const main = ` ${label}: ${visibleText(write ? write(value, info) : String(value))}`;
    return field === 'Driver' ? [main, ...driverStatus(info['DriverStatus'])] : [main];
  });
  return `${[...client, '', 'Server:', ...server].join('\n')}\n`;
}

function driverStatus(pairs: unknown): string[] {
  if (!Array.isArray(pairs)) return [];
  return pairs.map(
    ([name, value]: [unknown, unknown]) => `  ${visibleText(String(name))}: ${visibleText(String(value))}`,
  );
}
