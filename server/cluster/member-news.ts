/** Says in the log who comes and goes and who leads, as entries tell it: every server alike, in order. */
import type { Logger } from '../../lib/logger.ts';
import { MEMBER_STATUS, SERVER_ROLE } from '../../lib/membership.ts';
import type { Entry, MemberAlive, MemberLeft } from '../commands.ts';
import type { Outcome } from '../state/outcome.ts';
import type { State } from '../state/state.ts';
import { fold } from '../state/topic-names.ts';

export interface MemberNewsDeps {
  /** The id of this server. */
  readonly server: string;
  readonly state: () => State;
  readonly logger: Logger;
}

const WORDS: ReadonlyMap<number, string> = new Map([
  [MEMBER_STATUS.failed, 'failed'],
  [MEMBER_STATUS.left, 'left'],
]);

export class MemberNews {
  readonly #deps: MemberNewsDeps;
  /** By folded name, as it was before the entry; undefined until there is anybody to tell. */
  #statuses: Map<string, number> | undefined;
  #leader = '';
  /** How many nodes there were of each kind of news, ever. */
  readonly counts = { joined: 0, failed: 0, left: 0 };

  constructor(deps: MemberNewsDeps) {
    this.#deps = deps;
  }

  /** The state is whole: what was there before is no news. Called again after a restore. */
  begin(): void {
    const { members, leadership } = this.#deps.state();
    this.#statuses = new Map([...members.values()].map(({ Node, Status }) => [fold(Node), Status]));
    this.#leader = leadership.server;
  }

  /** Called for each entry, after it was applied. */
  applied({ command }: Entry, { applied }: Outcome): void {
    if (!applied || this.#statuses === undefined) return;
    switch (command.type) {
      case 'member-alive':
        this.#alive(command, this.#statuses);
        break;
      case 'members-failed':
        for (const node of command.nodes) this.#failed(node, this.#statuses);
        break;
      case 'member-left':
        this.#left(command, this.#statuses);
        break;
      case 'reap-members':
        for (const node of command.nodes) this.#statuses.delete(fold(node));
        break;
      case 'claim-leadership':
        this.#leads(command.server);
        break;
      default:
    }
  }

  #alive({ member: { Node, Address, Tags } }: MemberAlive, statuses: Map<string, number>): void {
    const before = statuses.get(fold(Node));
    statuses.set(fold(Node), MEMBER_STATUS.alive);
    // It has changed; it was there all the time.
    if (before === MEMBER_STATUS.alive) return;
    this.counts.joined++;
    this.#deps.logger.info('server: member joined', {
      member: Node,
      address: Address,
      role: Tags['role'] === SERVER_ROLE ? 'server' : 'agent',
      was: before === undefined ? undefined : WORDS.get(before),
    });
  }

  #failed(member: string, statuses: Map<string, number>): void {
    const name = fold(member);
    if (this.#deps.state().members.get(name)?.Status !== MEMBER_STATUS.failed) return;
    if (statuses.get(name) === MEMBER_STATUS.failed) return;
    statuses.set(name, MEMBER_STATUS.failed);
    this.counts.failed++;
    this.#deps.logger.warn('server: member failed, marking health critical', { member });
  }

  #left({ node: member, onlyDead, prune }: MemberLeft, statuses: Map<string, number>): void {
    const before = statuses.get(fold(member));
    if (prune) statuses.delete(fold(member));
    else if (before !== undefined) statuses.set(fold(member), MEMBER_STATUS.left);
    this.counts.left++;
    const { logger } = this.#deps;
    const was = before === undefined ? undefined : WORDS.get(before);
    if (onlyDead === true) logger.info('server: member was forced to leave', { member, was });
    else logger.info('server: member left', { member });
  }

  #leads(server: string): void {
    const before = this.#leader;
    this.#leader = server;
    const { logger, state, server: own } = this.#deps;
    const leader =
      [...state().liveServers.values()].find(({ ID }) => ID === server)?.Node ?? server;
    const { term } = state().leadership;
    if (server === own) logger.info('server: cluster leadership acquired', { term });
    else if (before === own) logger.warn('server: cluster leadership lost', { leader, term });
    else logger.info('server: New leader elected', { leader, term });
  }
}
