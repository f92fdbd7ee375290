import { spawnSync } from 'node:child_process';
import { BerthError } from '../../errors/index.ts';
import { libraryFunction } from '../../linux/index.ts';

/** Runs nft commands; each call is one transaction. Synchronous. */
export interface Nft {
  /** @returns what `list` commands print, with the handles of rules. @throws NftFailure */
  run(commands: string): string;
}

/** The kernel, or nft itself, refused. */
export class NftFailure extends Error {
  /** True when the table, chain or element is not there: somebody flushed the rules. */
  readonly isMissing: boolean;

  constructor(said: string, commands: string) {
    super(`nft: ${said.trim() || 'failed without a reason'}\n${commands}`);
    this.isMissing = said.includes('No such file or directory');
  }
}

const LIBRARY = 'libnftables.so.1';
const NFT_CTX_OUTPUT_HANDLE = 8;

/**
 * nft within this process, which is many times faster than its program. Rules are those of the network namespace in
 * which this is called.
 * @throws BerthError `unavailable` when neither the library nor the program is installed
 */
export function openNft(): Nft {
  return openLibrary() ?? openProgram();
}

function openLibrary(): Nft | undefined {
  let create: (...args: unknown[]) => unknown;
  try {
    create = libraryFunction(LIBRARY, 'void *nft_ctx_new(uint32_t)');
  } catch {
    return undefined;
  }
  const run = libraryFunction(LIBRARY, 'int nft_run_cmd_from_buffer(void*, const char*)');
  const output = libraryFunction(LIBRARY, 'const char *nft_ctx_get_output_buffer(void*)');
  const error = libraryFunction(LIBRARY, 'const char *nft_ctx_get_error_buffer(void*)');
  const context = create(0);
  libraryFunction(LIBRARY, 'int nft_ctx_buffer_output(void*)')(context);
  libraryFunction(LIBRARY, 'int nft_ctx_buffer_error(void*)')(context);
  libraryFunction(LIBRARY, 'void nft_ctx_output_set_flags(void*, unsigned int)')(context, NFT_CTX_OUTPUT_HANDLE);
  return {
    run(commands) {
      const code = run(context, commands);
      // Reading the buffers empties them.
      const [printed, said] = [String(output(context)), String(error(context))];
      if (code !== 0) throw new NftFailure(said, commands);
      return printed;
    },
  };
}

function openProgram(): Nft {
  return {
    run(commands) {
      const { status, stdout, stderr, error } = spawnSync('nft', ['--handle', '-f', '-'], {
        input: commands,
        encoding: 'utf8',
        env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' },
      });
      if ((error as NodeJS.ErrnoException | undefined)?.code === 'ENOENT') {
        throw new BerthError('unavailable', 'nftables, which networks need, is not installed', {
          hint: 'install it: apt-get install nftables (or use --network host or none)',
        });
      }
      if (status !== 0) throw new NftFailure(stderr, commands);
      return stdout;
    },
  };
}
