/** Sessions as a list: of all nodes, or of one. */
import '../style/sessions.css';
import type { Session } from '../../lib/model.ts';
import { compare } from '../core/order.ts';
import { useMay } from '../core/rights.ts';
import { invalidate, lockDelayMs } from '../core/sessions.ts';
import { sessionWords } from '../words/session-words.ts';
import { goDuration, lasting } from '../words/times.ts';
import { askFirst } from './asked.tsx';
import { May } from './may.tsx';
import { everyOne } from './sees.ts';
import type { Column } from './table.tsx';

/** What every list of them shows: who it is, then when it ends, then what becomes of what it holds. */
export function nameColumn<T extends Session>(): Column<T> {
  return {
    name: 'name',
    title: sessionWords.value.session,
    cell: ({ Name, ID }) => (
      <>
        {Name !== '' && <strong>{Name}</strong>} <code class="aside">{ID}</code>
      </>
    ),
    compare: bySession,
  };
}

export function endColumns<T extends Session>(held: (row: T) => number | undefined): Column<T>[] {
  const say = sessionWords.value;
  return [
    {
      name: 'ttl',
      title: say.ttl,
      cell: ({ TTL }) => (goDuration(TTL) > 0 ? say.ttlFor(lasting(goDuration(TTL))) : say.ttlNone),
      compare: (a, b) => goDuration(a.TTL) - goDuration(b.TTL) || bySession(a, b),
    },
    {
      name: 'behavior',
      title: say.behavior,
      cell: ({ Behavior }) => (Behavior === 'delete' ? say.delete : say.release),
    },
    {
      name: 'delay',
      title: say.lockDelay,
      cell: (row) => (
        <span title={say.delayHint}>
          {row.LockDelay > 0 ? lasting(lockDelayMs(row)) : say.noDelay}
        </span>
      ),
    },
    {
      name: 'action',
      title: say.action,
      cell: (row) => <Invalidate session={row} held={held(row)} />,
    },
  ];
}

export function bySession(a: Session, b: Session): number {
  return compare(a.Name, b.Name) || compare(a.ID, b.ID);
}

interface InvalidateProps {
  readonly session: Session;
  /** How many keys it holds; undefined where that is not known. */
  readonly held: number | undefined;
}

/** A count is of the keys that the token may see. */
const SEES_ALL = everyOne('key');

function Invalidate({ session, held }: InvalidateProps) {
  const seesAll = useMay(SEES_ALL);
  return (
    <May right={{ Resource: 'session', Access: 'write', Segment: session.Node }}>
      <button type="button" onClick={() => askInvalidate({ session, held }, seesAll)}>
        {sessionWords.value.invalidate}
      </button>
    </May>
  );
}

function askInvalidate({ session, held }: InvalidateProps, seesAll: boolean): void {
  const say = sessionWords.peek();
  const { ID, Name } = session;
  const parts = [say.invalidateText(Name || ID), ...loses(session, held, seesAll), say.noWayBack];
  askFirst({
    title: say.invalidate,
    text: parts.join(' '),
    action: invalidate(ID),
    verb: say.invalidate,
    done: say.invalidated,
    isGrave: true,
  });
}

function loses({ Behavior }: Session, held: number | undefined, seesAll: boolean) {
  const say = sessionWords.peek();
  const [some, all] =
    Behavior === 'delete' ? [say.deletes, say.deletesAll] : [say.letsGo, say.letsAllGo];
  if (held === undefined) return [all];
  return seesAll ? [some(held)] : [all, say.mayBeMore(held)];
}
