import { text } from './attributes.ts';
import { messageFlags, type Request } from './message.ts';

/** The netlink protocol of packet filters. @see linux/include/uapi/linux/netfilter/nf_tables.h */
export const NETLINK_NETFILTER = 12;
const NFNL_SUBSYS_NFTABLES = 10;
const NFT_MSG_GETTABLE = 1;
const NFPROTO_INET = 1;
const NFTA_TABLE_NAME = 1;

/** Asks for a table of the family `inet`: an error `ENOENT` says that there is none. */
export function getTable(name: string): Request {
  const header = Buffer.from([NFPROTO_INET, 0, 0, 0]);
  return {
    type: (NFNL_SUBSYS_NFTABLES << 8) | NFT_MSG_GETTABLE,
    flags: messageFlags.ACK,
    payload: Buffer.concat([header, text(NFTA_TABLE_NAME, name)]),
  };
}
