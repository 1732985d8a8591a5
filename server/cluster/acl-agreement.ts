/**
 * Servers that disagree on acl.enabled: through the one that has it off everything may be read and
 * written that the others guard. Nobody sees it by what they answer, so each says it in its log.
 */
import type { Logger } from '../../lib/logger.ts';
import type { Beat } from '../../lib/membership.ts';
import { Notices } from '../../lib/notices.ts';

type Told = Pick<Beat, 'ID' | 'Node' | 'Tags'>;

export class AclAgreement {
  readonly #self: Told;
  readonly #logger: Logger;
  readonly #notices: Notices;
  #disagreeing = new Set<string>();

  constructor(self: Told, logger: Logger) {
    this.#self = self;
    this.#logger = logger;
    this.#notices = new Notices((text) => logger.error(`server: ${text}`));
  }

  /** Looks at all servers that live; says what is new, once. */
  look(servers: Iterable<Told>): void {
    const before = this.#disagreeing;
    this.#disagreeing = new Set();
    for (const { ID, Node, Tags } of servers) {
      if (ID === this.#self.ID || isOn(Tags) === isOn(this.#self.Tags)) continue;
      this.#disagreeing.add(Node);
      const [on, off] = isOn(Tags) ? [Node, this.#self.Node] : [this.#self.Node, Node];
      const rule = 'all servers must agree on acl.enabled';
      const why = `access control is on at ${on} and off at ${off}, where everything is open`;
      this.#notices.tell(Node, `${why}: ${rule}`);
    }
    for (const node of before) {
      if (this.#disagreeing.has(node)) continue;
      this.#notices.clear(node);
      this.#logger.info(`server: ${node} no longer disagrees on acl.enabled`);
    }
  }
}

function isOn({ acls }: Beat['Tags']): boolean {
  return acls === '1';
}
