import type { VersionBody } from '../../api/contract/index.ts';
import { compileTemplate } from '../../format/template/index.ts';
import type { Command } from '../context.ts';
import { exitCodes } from '../exit-codes.ts';
import { printError } from '../print-error.ts';
import { clientFacts } from './client-version.ts';

export const run: Command = async ({ flags, engine, environment }) => {
  const { stdout, stderr } = environment;
  const format = flags.string('format') ?? '';
  const template = format === '' || format === 'json' ? undefined : compileTemplate(format);
  const client = clientFacts();
  let server: VersionBody | undefined;
  let failure: unknown;
  try {
    server = await engine.json<VersionBody>('GET', '/version');
  } catch (error) {
    failure = error;
  }
  const facts = { Client: client, Server: server ?? null };
  if (template) stdout.write(`${template.render(facts)}\n`);
  else stdout.write(format === 'json' ? `${JSON.stringify(facts)}\n` : text(client, server));
  if (!failure) return exitCodes.ok;
  printError(stderr, failure);
  return exitCodes.failure;
};

function text(client: ReturnType<typeof clientFacts>, server: VersionBody | undefined): string {
  const own = [
    'Client: Berth',
    line('Version', client.Version),
    line('API version', client.ApiVersion),
    line('Node version', client.NodeVersion),
    line('OS/Arch', `${client.Os}/${client.Arch}`),
    line('Context', client.Context),
  ];
  if (!server) return `${own.join('\n')}\n`;
  const name = server.Platform?.Name;
  const [engine, ...others] = server.Components ?? [];
  const remote = [
    '',
    `Server:${name ? ` ${name}` : ''}`,
    ` ${engine?.Name ?? 'Engine'}:`,
    ` ${line('Version', server.Version)}`,
    ` ${line('API version', `${server.ApiVersion} (minimum version ${server.MinAPIVersion})`)}`,
    ...(server.GoVersion
      ? [` ${line(server.GoVersion.startsWith('go') ? 'Go version' : 'Runtime', server.GoVersion)}`]
      : []),
    ...(server.GitCommit ? [` ${line('Git commit', server.GitCommit)}`] : []),
    ...(server.BuildTime ? [` ${line('Built', server.BuildTime)}`] : []),
    ` ${line('OS/Arch', `${server.Os}/${server.Arch}`)}`,
    ...others.flatMap(({ Name, Version }) => [` ${Name}:`, ` ${line('Version', Version)}`]),
  ];
  return `${[...own, ...remote].join('\n')}\n`;
}

function line(label: string, value: string): string {
  return ` ${`${label}:`.padEnd(18)} ${value}`;
}
