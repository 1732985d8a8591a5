/** What may be done with an instance: by its own agent, or, where none keeps its node, in the catalog. */
import { EXTERNAL_SOURCE, lookUp } from '../../lib/model.ts';
import {
  deregister,
  type Entry,
  isKept,
  isLost,
  placeOf,
  putBack,
  takeOut,
} from '../core/catalog.ts';
import { type Latest, useLatest } from '../core/latest.ts';
import { ownNode } from '../core/own-agent.ts';
import { isMaintenance } from '../core/standing.ts';
import { instanceWords } from '../words/instance-words.ts';
import { askFirst } from './asked.tsx';
import { Maintenance } from './maintenance.tsx';
import { May } from './may.tsx';

export function InstanceActions({ entry }: { readonly entry: Entry }) {
  const say = instanceWords.value;
  const { Node, Service, Checks } = entry;
  const isAtAgent = isKept(Checks);
  // Whoever brings it here, or an agent that comes back, says how it is over whatever else is said.
  const isBrought = isLost(Checks) || lookUp(Service.Meta, EXTERNAL_SOURCE) !== undefined;
  const latest = useLatest(entry);
  return (
    <May right={{ Resource: 'service', Access: 'write', Segment: Service.Service }}>
      {(isAtAgent || !isBrought) && (
        <Maintenance
          place={{ node: Node.Node, id: Service.ID }}
          maintained={Checks.find((each) => each.ServiceID === Service.ID && isMaintenance(each))}
          isAtAgent={isAtAgent}
          words={say}
        />
      )}
      <button type="button" onClick={() => askDeregister(latest, isAtAgent)}>
        {say.deregister}
      </button>
    </May>
  );
}

function askDeregister(latest: Latest<Entry>, isAtAgent: boolean): void {
  const say = instanceWords.peek();
  const { Node, Service } = latest.current;
  const isOwn = Node.Node === ownNode.peek();
  askFirst({
    title: say.deregister,
    text: say.deregisterText(Service.ID),
    action: isAtAgent
      ? deregister({ node: Node.Node, id: Service.ID })
      : takeOut(Node.Node, Service.ID),
    verb: say.deregister,
    done: say.deregistered(Service.ID),
    // What an agent was told by its configuration or its API, only that says again.
    undo: isAtAgent
      ? undefined
      : {
          action: () => putBack(latest.current),
          at: placeOf(Service.Service, Node.Node, Service.ID),
          left: 'nothing',
        },
    isGrave: true,
    elsewhere: isAtAgent && !isOwn ? say.elsewhere(Node.Node) : '',
  });
}
