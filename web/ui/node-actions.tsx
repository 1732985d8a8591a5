/** What may be done with a node: by its agent, or, where none lives there, by a server. */
import { isOfEureka } from '../../lib/model.ts';
import {
  forceLeave,
  isKept,
  isLost,
  machineAt,
  type NodeInFull,
  putNodeBack,
  takeOut,
} from '../core/catalog.ts';
import { useLatest } from '../core/latest.ts';
import { useMay } from '../core/rights.ts';
import { isMaintenance } from '../core/standing.ts';
import { nodeWords } from '../words/node-words.ts';
import { askFirst } from './asked.tsx';
import { Maintenance } from './maintenance.tsx';
import { May } from './may.tsx';

const OPERATES = { Resource: 'operator', Access: 'write' } as const;

export function NodeActions({ node }: { readonly node: NodeInFull }) {
  const { Node: name } = node;
  const checks = node.Checks ?? [];
  const writes = { Resource: 'node', Access: 'write', Segment: name } as const;
  const mayOperate = useMay(OPERATES);
  const mayWrite = useMay(writes);
  const [isAtAgent, isAway] = [isKept(checks), isLost(checks)];
  // An agent that comes back says how it is, and so do clients of Eureka's.
  const isMaintained = isAtAgent || (!isAway && !isOfEureka(node));
  return (
    <May right={[writes, isAway ? OPERATES : writes]}>
      {isMaintained && (
        <Maintenance
          place={{ node: name }}
          maintained={checks.find((each) => each.ServiceID === '' && isMaintenance(each))}
          isAtAgent={isAtAgent}
          words={nodeWords.value}
        />
      )}
      {isAway && mayOperate && (
        <button type="button" onClick={() => askForceLeave(name)}>
          {nodeWords.value.forceLeave}
        </button>
      )}
      {!isAtAgent && mayWrite && <TakeOut node={node} />}
    </May>
  );
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

/** What somebody may not see of it, or not write, he does not put back either. */
const WRITES_ALL = { Resource: 'service', Access: 'write-prefix', Segment: '' } as const;

function TakeOut({ node }: { readonly node: NodeInFull }) {
  const say = nodeWords.value;
  const { Node: name } = node;
  const mayPutBack = useMay(WRITES_ALL);
  const latest = useLatest(node);
  const ask = () =>
    askFirst({
      title: say.takeOut,
      text: say.takeOutText(name),
      action: takeOut(name),
      verb: say.takeOut,
      done: say.takenOut(name),
      undo: mayPutBack
        ? { action: () => putNodeBack(latest.current), at: machineAt(node), left: 'nothing' }
        : undefined,
      isGrave: true,
    });
  return (
    <button type="button" onClick={ask}>
      {say.takeOut}
    </button>
  );
}
