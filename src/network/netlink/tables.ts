import { text } from './attributes.ts';
import { messageFlags, type Request } from './message.ts';

/** The netlink protocol of packet filters. @see linux/include/uapi/linux/netfilter/nf_tables.h */
export const NETLINK_NETFILTER = 12;
const NFNL_SUBSYS_NFTABLES = 10;
const NFT_MSG_GETTABLE = 1;
const NFNL_MSG_BATCH_BEGIN = 0x10;
const NFNL_MSG_BATCH_END = 0x11;
const NFPROTO_INET = 1;
const NFTA_TABLE_NAME = 1;

/** Asks for a table of the family `inet`: an error `ENOENT` says that there is none. */
export function getTable(name: string): Request {
  return filterRequest(NFPROTO_INET, NFT_MSG_GETTABLE, messageFlags.ACK, [text(NFTA_TABLE_NAME, name)]);
}

/** A request about the tables of a protocol family. */
export function filterRequest(
  family: number,
  message: number,
  flags: number,
  attributes: readonly Uint8Array[],
): Request {
  const header = Buffer.from([family, 0, 0, 0]);
  return {
    type: (NFNL_SUBSYS_NFTABLES << 8) | message,
    flags,
    payload: Buffer.concat([header, ...attributes]),
  };
}

/** What goes around requests that change tables: all of them are done, or none. */
export const batch: { readonly begin: Request; readonly end: Request } = {
  begin: { type: NFNL_MSG_BATCH_BEGIN, flags: 0, payload: Buffer.from([0, 0, 0, NFNL_SUBSYS_NFTABLES]) },
  end: { type: NFNL_MSG_BATCH_END, flags: 0, payload: Buffer.from([0, 0, 0, NFNL_SUBSYS_NFTABLES]) },
};
