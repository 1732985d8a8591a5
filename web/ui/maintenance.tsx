/** The way into maintenance, and out of it: of a node, or of one instance. */
import type { Check } from '../../lib/model.ts';
import {
  maintenance,
  maintenanceAt,
  maintenanceInCatalog,
  maintenanceInCatalogAt,
  type Place,
} from '../core/maintenance.ts';
import { ownNode } from '../core/own-agent.ts';
import { instanceWords } from '../words/instance-words.ts';
import { askFirst } from './asked.tsx';

interface Words {
  readonly startMaintenance: string;
  readonly endMaintenance: string;
  readonly maintenanceText: (name: string) => string;
  readonly endText: (name: string) => string;
  readonly maintained: (name: string) => string;
  readonly served: (name: string) => string;
}

interface MaintenanceProps {
  readonly place: Place;
  /** By the check that says so, where it is. */
  readonly maintained: Check | undefined;
  /** Whether an agent keeps its node. */
  readonly isAtAgent: boolean;
  readonly words: Words;
}

export function Maintenance(props: MaintenanceProps) {
  const { maintained, words } = props;
  return (
    <button type="button" onClick={() => ask(props)}>
      {maintained === undefined ? words.startMaintenance : words.endMaintenance}
    </button>
  );
}

function ask({ place, maintained, isAtAgent, words: say }: MaintenanceProps): void {
  const enable = maintained === undefined;
  const { node, id: name = node } = place;
  const { reason, elsewhere } = instanceWords.peek();
  const [told, at] = isAtAgent
    ? [maintenance, maintenanceAt]
    : [maintenanceInCatalog, maintenanceInCatalogAt];
  const verb = enable ? say.startMaintenance : say.endMaintenance;
  askFirst({
    title: verb,
    text: enable ? say.maintenanceText(name) : say.endText(name),
    action: told(place, { enable, reason }),
    verb,
    done: enable ? say.maintained(name) : say.served(name),
    undo: {
      action: () => told(place, { enable: !enable, reason: maintained?.Notes ?? '' }),
      at: at(place),
      left: (there) => (there !== undefined) === enable,
    },
    elsewhere: isAtAgent && node !== ownNode.peek() ? elsewhere(node) : '',
  });
}
