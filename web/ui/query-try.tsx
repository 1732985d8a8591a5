/** A prepared query tried out: what it comes to for a name, and what it finds by now. */
import { useState } from 'preact/hooks';
import type { Check, PreparedQuery } from '../../lib/model.ts';
import { ask } from '../core/api.ts';
import { addressOf } from '../core/catalog.ts';
import { curlOfRead } from '../core/commands.ts';
import { compare } from '../core/order.ts';
import {
  type Explained,
  type Found,
  type FoundEntry,
  isTemplate,
  nameOf,
  pathToTry,
} from '../core/prepared-queries.ts';
import { href } from '../core/router.ts';
import { shellText } from '../core/shell.ts';
import { standingOf } from '../core/standing.ts';
import { queryWords } from '../words/query-words.ts';
import { inWords } from './asked.tsx';
import { asker, Copyable } from './commands.tsx';
import { Facts } from './facts.tsx';
import { Field } from './form.tsx';
import { factsOf } from './query-facts.tsx';
import { StatusSign } from './status.tsx';
import { type Column, Table } from './table.tsx';

const NONE: readonly Check[] = [];

/** Of one name: of another it says nothing. */
interface Tried {
  readonly name: string;
  /** Why it could not be; '' where it could. */
  readonly problem: string;
  readonly outcome?: Outcome;
}

interface Outcome {
  readonly found: Found;
  readonly query: PreparedQuery;
}

export function TryQuery({ query }: { readonly query: PreparedQuery }) {
  const say = queryWords.value;
  const [text, setText] = useState(query.Name);
  const [last, setTried] = useState<Tried>();
  const name = isTemplate(query) ? text : query.ID;
  const { problem = '', outcome }: Partial<Tried> = last?.name === name ? last : {};
  const asking = asker();
  const run = async () => {
    try {
      const [{ value: found }, { value: explained }] = await Promise.all([
        ask<Found>(pathToTry(name, 'execute')),
        ask<Explained>(pathToTry(name, 'explain')),
      ]);
      setTried({ name, problem: '', outcome: { found, query: explained.Query } });
    } catch (error) {
      setTried({ name, problem: inWords(error) });
    }
  };
  return (
    <section class="query-try" aria-label={say.try}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void run();
        }}
      >
        {isTemplate(query) && <Field label={say.tryName} value={text} onWrite={setText} />}
        <button type="submit" class="main" disabled={name === ''}>
          {say.run}
        </button>
      </form>
      {problem !== '' && (
        <p class="problem" role="alert">
          {problem}
        </p>
      )}
      {outcome !== undefined && <FoundParts {...outcome} isMade={isTemplate(query)} />}
      <details class="commands">
        <summary>{say.asDns}</summary>
        <Copyable text={shellText('dig', ...asked(`${dnsName(query, text)}.query.consul`))} />
        <Copyable text={curlOfRead(pathToTry(name, 'execute'), asking)} />
        <Copyable text={curlOfRead(pathToTry(name, 'explain'), asking)} />
      </details>
    </section>
  );
}

/** A name may begin with what says something else to dig: whom to ask. */
function asked(name: string): readonly string[] {
  return /^[-+@]/.test(name) ? ['-q', name] : [name];
}

function dnsName(query: PreparedQuery, text: string): string {
  return isTemplate(query) ? text : nameOf(query);
}

function FoundParts({ found, query, isMade }: Outcome & { readonly isMade: boolean }) {
  const say = queryWords.value;
  const nodes = found.Nodes ?? [];
  return (
    <>
      <p role="status">
        <strong>
          {nodes.length === 0
            ? say.findsNothing(found.Service)
            : say.finds(nodes.length, found.Service)}
        </strong>{' '}
        {found.Failovers > 0 && say.failovers(found.Failovers, found.Datacenter)}
      </p>
      {nodes.length > 0 && (
        <Table
          label={say.try}
          kind="found"
          rows={nodes}
          columns={columns()}
          keyOf={({ Node, Service }) => `${Node.Node}\0${Service.ID}`}
          sortedBy=""
        />
      )}
      {isMade && (
        <>
          <h3>{say.explain}</h3>
          <Facts facts={factsOf(query)} />
        </>
      )}
    </>
  );
}

function columns(): readonly Column<FoundEntry>[] {
  const say = queryWords.value;
  return [
    {
      name: 'name',
      title: say.instance,
      cell: ({ Node, Service }) => (
        <a class="whole-row" href={href('services', Service.Service, Node.Node, Service.ID)}>
          {Service.ID}
        </a>
      ),
      compare: (a, b) => compare(a.Service.ID, b.Service.ID),
    },
    {
      name: 'status',
      title: say.status,
      cell: ({ Checks }) => <StatusSign status={standingOf(Checks ?? NONE)} />,
    },
    {
      name: 'address',
      title: say.address,
      cell: ({ Node, Service }) => <code>{addressOf(Service, Node)}</code>,
    },
    { name: 'node', title: say.node, cell: ({ Node }) => Node.Node },
  ];
}
