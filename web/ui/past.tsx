/** What became of things, the newest first. */
import '../style/past.css';
import type { Change, Condition } from '../core/past.ts';
import { href } from '../core/router.ts';
import { pastWords } from '../words/past-words.ts';
import { Empty } from './empty.tsx';
import { type Known, Shape, STATUSES } from './status.tsx';
import { type Column, Table } from './table.tsx';
import { Ago } from './time.tsx';

/** So many are asked for. */
export const MAX_CHANGES = 500;

interface PastProps {
  readonly changes: readonly Change[];
  /** Of a node: what is on it is named by its service. */
  readonly isOfNode?: boolean;
}

export function Past({ changes, isOfNode = false }: PastProps) {
  const say = pastWords.value;
  if (changes.length === 0) return <Empty title={say.none} hint={say.noneHint} />;
  return (
    <>
      <Table
        label={say.history}
        kind="past"
        rows={changes.toReversed()}
        columns={columns(isOfNode)}
        keyOf={({ Time, Node, ServiceID, CheckID, To }) =>
          [Time, Node, ServiceID, CheckID, To].join('\0')
        }
        sortedBy=""
      />
      {changes.length >= MAX_CHANGES && <p class="aside">{say.newest(MAX_CHANGES)}</p>}
    </>
  );
}

function columns(isOfNode: boolean): readonly Column<Change>[] {
  const say = pastWords.value;
  return [
    { name: 'time', title: say.time, cell: ({ Time }) => <Ago at={Date.parse(Time)} /> },
    {
      name: 'change',
      title: say.change,
      cell: ({ To }) => (
        <span class="status">
          <Shape status={shapeOf(To)} />
          {conditionInWords(To)}
        </span>
      ),
    },
    { name: 'what', title: say.what, cell: (change) => <What {...change} isOfNode={isOfNode} /> },
    { name: 'output', title: say.output, cell: ({ Output }) => <code>{Output}</code> },
  ];
}

function What({
  CheckID,
  ServiceID,
  ServiceName,
  Node,
  isOfNode,
}: Change & { readonly isOfNode: boolean }) {
  const say = pastWords.value;
  const own = ServiceID === '' ? say.node : say.instance;
  const place =
    ServiceID === '' ? href('nodes', Node) : href('services', ServiceName, Node, ServiceID);
  return (
    <>
      {CheckID || own}{' '}
      {(!isOfNode || ServiceID !== '') && (
        <span class="aside">
          {say.onNode} <a href={place}>{ServiceID || Node}</a>
        </span>
      )}
    </>
  );
}

function shapeOf(condition: Condition): Known {
  return STATUSES.find((each) => each === condition) ?? 'none';
}

function conditionInWords(condition: Condition): string {
  const { conditions } = pastWords.value;
  return Object.entries(conditions).find(([name]) => name === condition)?.[1] ?? condition;
}
