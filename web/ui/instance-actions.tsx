/** What may be done with an instance: by its own agent, or, where none keeps its node, in the catalog. */
import type { Check } from '../../lib/model.ts';
import {
  deregister,
  type Entry,
  isKept,
  maintenance,
  maintenanceAt,
  placeOf,
  putBack,
  takeOut,
} from '../core/catalog.ts';
import { ownNode } from '../core/own-agent.ts';
import { isMaintenance } from '../core/standing.ts';
import { instanceWords } from '../words/instance-words.ts';
import { askFirst } from './asked.tsx';
import { May } from './may.tsx';

export function InstanceActions({ entry }: { readonly entry: Entry }) {
  const say = instanceWords.value;
  const { Service, Checks } = entry;
  const maintained = Checks.find((each) => each.ServiceID === Service.ID && isMaintenance(each));
  const isNodeKept = isKept(Checks);
  return (
    <May right={{ Resource: 'service', Access: 'write', Segment: Service.Service }}>
      {isNodeKept && (
        <button type="button" onClick={() => askMaintenance(entry, maintained)}>
          {maintained !== undefined ? say.endMaintenance : say.startMaintenance}
        </button>
      )}
      <button type="button" onClick={() => askDeregister(entry, isNodeKept)}>
        {say.deregister}
      </button>
    </May>
  );
}

/** `maintained` by the check that says so, where it is. */
function askMaintenance({ Node, Service }: Entry, maintained: Check | undefined): void {
  const enable = maintained === undefined;
  const say = instanceWords.peek();
  const { ID } = Service;
  const place = { node: Node.Node, id: ID };
  askFirst({
    title: enable ? say.startMaintenance : say.endMaintenance,
    text: enable ? say.maintenanceText(ID) : say.endText(ID),
    action: maintenance(place, { enable, reason: say.reason }),
    verb: enable ? say.startMaintenance : say.endMaintenance,
    done: enable ? say.maintained(ID) : say.served(ID),
    undo: {
      action: () => maintenance(place, { enable: !enable, reason: maintained?.Notes ?? '' }),
      at: maintenanceAt(place),
      left: (there) => (there !== undefined) === enable,
    },
    elsewhere: Node.Node === ownNode.peek() ? '' : say.elsewhere(Node.Node),
  });
}

function askDeregister(entry: Entry, isNodeKept: boolean): void {
  const say = instanceWords.peek();
  const { Node, Service } = entry;
  const isOwn = Node.Node === ownNode.peek();
  askFirst({
    title: say.deregister,
    text: say.deregisterText(Service.ID),
    action: isNodeKept
      ? deregister({ node: Node.Node, id: Service.ID })
      : takeOut(Node.Node, Service.ID),
    verb: say.deregister,
    done: say.deregistered(Service.ID),
    // What an agent was told by its configuration or its API, only that says again.
    undo: isNodeKept
      ? undefined
      : {
          action: () => putBack(entry),
          at: placeOf(Service.Service, Node.Node, Service.ID),
          left: 'nothing',
        },
    isGrave: true,
    elsewhere: isNodeKept && !isOwn ? say.elsewhere(Node.Node) : '',
  });
}
