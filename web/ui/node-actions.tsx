/** What may be done with a node: by its agent, or, where none lives there, by a server. */
import { type Check, SERF_HEALTH } from '../../lib/model.ts';
import {
  forceLeave,
  isKept,
  maintenance,
  maintenanceAt,
  type NodeInFull,
  nodeAt,
  putNodeBack,
  takeOut,
} from '../core/catalog.ts';
import { ownNode } from '../core/own-agent.ts';
import { isMaintenance } from '../core/standing.ts';
import { instanceWords } from '../words/instance-words.ts';
import { nodeWords } from '../words/node-words.ts';
import { askFirst } from './asked.tsx';
import { May } from './may.tsx';
import { everyOne, useSees } from './sees.ts';

export function NodeActions({ node }: { readonly node: NodeInFull }) {
  const say = nodeWords.value;
  const { Node: name } = node;
  const checks = node.Checks ?? [];
  const seesAll = useSees(everyOne('service')) === true;
  const maintained = checks.find((each) => each.ServiceID === '' && isMaintenance(each));
  const writes = { Resource: 'node', Access: 'write', Segment: name } as const;
  if (isKept(checks)) {
    return (
      <May key="kept" right={writes}>
        <button type="button" onClick={() => askMaintenance(name, maintained)}>
          {maintained !== undefined ? say.endMaintenance : say.startMaintenance}
        </button>
      </May>
    );
  }
  // An agent was there, and may come back; what never had one is taken out of the catalog.
  if (checks.some(({ CheckID }) => CheckID === SERF_HEALTH)) {
    return (
      <May key="lost" right={{ Resource: 'operator', Access: 'write' }}>
        <button type="button" onClick={() => askForceLeave(name)}>
          {say.forceLeave}
        </button>
      </May>
    );
  }
  return (
    <May key="bare" right={writes}>
      <button type="button" onClick={() => askTakeOut(node, seesAll)}>
        {say.takeOut}
      </button>
    </May>
  );
}

/** `maintained` by the check that says so, where it is. */
function askMaintenance(name: string, maintained: Check | undefined): void {
  const enable = maintained === undefined;
  const say = nodeWords.peek();
  const { reason, elsewhere } = instanceWords.peek();
  const place = { node: name };
  const verb = enable ? say.startMaintenance : say.endMaintenance;
  askFirst({
    title: verb,
    text: enable ? say.maintenanceText(name) : say.endText(name),
    action: maintenance(place, { enable, reason }),
    verb,
    done: enable ? say.maintained(name) : say.served(name),
    undo: {
      action: () => maintenance(place, { enable: !enable, reason: maintained?.Notes ?? '' }),
      at: maintenanceAt(place),
      left: (there) => (there !== undefined) === enable,
    },
    elsewhere: name === ownNode.peek() ? '' : elsewhere(name),
  });
}

function askForceLeave(name: string): void {
  const say = nodeWords.peek();
  askFirst({
    title: say.forceLeave,
    text: say.forceLeaveText(name),
    action: forceLeave(name),
    verb: say.forceLeave,
    done: say.hasLeft(name),
    isGrave: true,
  });
}

/** What somebody may not see of it he does not put back either. */
function askTakeOut(node: NodeInFull, seesAll: boolean): void {
  const say = nodeWords.peek();
  const { Node: name } = node;
  const back = seesAll ? putNodeBack(node) : undefined;
  askFirst({
    title: say.takeOut,
    text: say.takeOutText(name),
    action: takeOut(name),
    verb: say.takeOut,
    done: say.takenOut(name),
    undo: back && { action: () => back, at: nodeAt(name), left: 'nothing' },
    isGrave: true,
  });
}
