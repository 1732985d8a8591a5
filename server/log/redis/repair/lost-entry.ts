/** What is said of an entry that a fork took away: enough to do it again by hand. */
import type { Command } from '../../../commands.ts';
import { decodeCommand } from '../../payload.ts';
import type { RawEntry } from '../records/stream.ts';

export interface LostEntry {
  readonly index: number;
  readonly epoch: number;
  /** The proposal's. */
  readonly id: string;
  readonly type: Command['type'];
  /** The key, node, instance or session that it was about. */
  readonly subject: string;
  /** Milliseconds since 1970. */
  readonly t: number;
}

export function describeLost({ index, epoch, id, t, payload }: RawEntry): LostEntry {
  const command = decodeCommand(payload);
  return { index, epoch, id, type: command.type, subject: subjectOf(command), t };
}

export function formatLost({ index, epoch, id, type, subject, t }: LostEntry): string {
  const time = new Date(t).toISOString();
  return `index ${index} epoch ${epoch} id ${id} ${type} ${JSON.stringify(subject)} at ${time}`;
}

function subjectOf(command: Command): string {
  switch (command.type) {
    case 'kv':
      return command.op.key;
    case 'register':
      return join(command.node.Node, command.service?.ID);
    case 'deregister':
      return join(command.node, command.serviceId ?? command.checkId);
    case 'create-session':
      return command.session.ID;
    case 'destroy-session':
      return command.id;
    case 'expire-sessions':
      return command.ids.join(' ');
    case 'txn':
      return command.ops.map((op) => ('kv' in op ? op.kv.key : Object.keys(op).join())).join(' ');
    case 'claim-leadership':
      return command.server;
    default:
      return '';
  }
}

function join(node: string, part: string | undefined): string {
  return part === undefined ? node : `${node}/${part}`;
}
