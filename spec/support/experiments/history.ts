import type { Command } from '../../../server/commands.ts';
import { type Position, START } from '../../../server/log/event-log.ts';
import { nextEntry, positionOf } from '../../../server/log/next-entry.ts';
import { encodeProposal } from '../../../server/log/payload.ts';
import { type Applied, apply } from '../../../server/state/apply.ts';
import { State } from '../../../server/state/state.ts';
import { kvOp, registerOn } from '../factories.ts';

/** A state and the log that it comes from, written command by command. */
export class History {
  state = new State();
  #position: Position = START;
  #count = 0;

  /** Applies the command `ms` after the one before; with the id of another it is that one again. */
  run(command: Command, ms = 0, id = `boot/${this.#count++}`): Applied {
    const proposal = encodeProposal(id, command);
    const { entry } = nextEntry(this.#position, proposal, this.#position.t + ms);
    this.#position = positionOf(entry);
    const applied = apply(this.state, entry);
    this.state = applied.state;
    return applied;
  }

  /** Registers the node with what is said of it. */
  register(node: string, over: Parameters<typeof registerOn>[1] = {}, ms = 0): Applied {
    return this.run(registerOn(node, over), ms);
  }

  kv(verb: string, key: string, over: Parameters<typeof kvOp>[2] = {}, ms = 0): Applied {
    return this.run({ type: 'kv', op: kvOp(verb, key, over) }, ms);
  }

  /** A session of node `a` unless it is said otherwise. */
  session(ID: string, over: object = {}): Applied {
    const plain = { ID, Name: '', Node: 'a', LockDelay: 0, Behavior: 'release' as const, TTL: '' };
    const session = { ...plain, NodeChecks: null, ServiceChecks: null, ...over };
    return this.run({ type: 'create-session', session });
  }
}
