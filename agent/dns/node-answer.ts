/** What is said about a node. */
import type { Node } from '../../lib/model.ts';
import { type DnsAnswer, type Group, Groups, plainGroup, section } from './answer.ts';
import { addressTail, metaText, txtTail } from './records.ts';
import { TYPE } from './wire.ts';

export interface NodeQuestion {
  readonly node: Node;
  readonly type: number;
  readonly ttlS: number;
  /** What the records belong to. */
  readonly owner: Buffer;
  /** Whether a node's meta goes beside its address: dns_config.enable_additional_node_meta_txt. */
  readonly metaBeside: boolean;
}

/** The records of a node that has an IP for an address. */
export function nodeAnswer(asked: NodeQuestion): Partial<DnsAnswer> {
  const { node, type, ttlS, owner, metaBeside } = asked;
  const owned = (record: Buffer) => Buffer.concat([owner, record]);
  const texts = metaTexts(node, ttlS).map(owned);
  const any = type === TYPE.ANY;
  const groups: Group[] = [];
  const address = addressTail(node.Address, ttlS);
  if (address !== undefined && (any || type === address.readUInt16BE(0))) {
    groups.push(plainGroup(owned(address)));
  }
  if (any || type === TYPE.TXT) groups.push(...texts.map((text) => plainGroup(text)));
  const beside = metaBeside && (type === TYPE.A || type === TYPE.AAAA);
  return { groups: Groups.of(groups), ...(beside && { additional: section(texts) }) };
}

/** A node's meta, one text for each, always in one order. */
export function metaTexts({ Meta }: Node, ttlS: number): Buffer[] {
  return Object.entries(Meta ?? {}).map(([key, value]) => txtTail(metaText(key, value), ttlS));
}
