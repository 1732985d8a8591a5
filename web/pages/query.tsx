/** One prepared query: what it looks for, and what it finds when it is tried. */
import '../style/queries.css';
import type { PreparedQuery } from '../../lib/model.ts';
import { upon } from '../core/actions.ts';
import { useLive } from '../core/live.ts';
import type { Given } from '../core/path.ts';
import { makeAgain, nameOf, remove, write } from '../core/prepared-queries.ts';
import { href } from '../core/router.ts';
import { askFirst } from '../ui/asked.tsx';
import { Commands } from '../ui/commands.tsx';
import { Empty } from '../ui/empty.tsx';
import { Facts } from '../ui/facts.tsx';
import { Heading } from '../ui/heading.tsx';
import { May } from '../ui/may.tsx';
import { factsOf, namesInWords } from '../ui/query-facts.tsx';
import { TryQuery } from '../ui/query-try.tsx';
import { Shown } from '../ui/shown.tsx';
import { queryWords } from '../words/query-words.ts';

/** Of any other text a server says what it says of an error of its own. */
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

export function Page({ id = '' }: Given) {
  const say = queryWords.value;
  const isId = UUID.test(id);
  const live = useLive<readonly PreparedQuery[]>(isId ? `/v1/query/${encodeURIComponent(id)}` : '');
  const query = live.value?.[0];
  return (
    <>
      <Heading title={query ? nameOf(query) : say.title} beside={query && namesInWords(query)}>
        {query && (
          <May right={{ Resource: 'query', Access: 'write', Segment: query.Name }}>
            <button type="button" onClick={() => askRemove(query)}>
              {say.delete}
            </button>
          </May>
        )}
      </Heading>
      {isId ? (
        <Shown of={live} missing={<Gone />}>
          {([found]) => (found === undefined ? <Gone /> : <Parts query={found} />)}
        </Shown>
      ) : (
        <Gone />
      )}
    </>
  );
}

function Parts({ query }: { readonly query: PreparedQuery }) {
  const say = queryWords.value;
  return (
    <div class="query">
      <section>
        <h2>{say.definition}</h2>
        <Facts facts={factsOf(query)} />
        <May right={{ Resource: 'query', Access: 'write', Segment: query.Name }}>
          <Commands action={write(query)} />
        </May>
      </section>
      <section>
        <h2>{say.try}</h2>
        <TryQuery query={query} />
      </section>
    </div>
  );
}

function Gone() {
  const say = queryWords.value;
  return (
    <Empty title={say.gone} hint={say.goneHint}>
      <a class="button" href={href('queries')}>
        {say.all}
      </a>
    </Empty>
  );
}

function askRemove(query: PreparedQuery): void {
  const say = queryWords.peek();
  const again = makeAgain(query);
  const action = upon(remove(query), query);
  const name = nameOf(query);
  askFirst({
    title: say.delete,
    text: `${say.deleteText(name)} ${again === undefined ? say.noWayBack : say.newId}`,
    action,
    verb: say.delete,
    done: say.deleted(name),
    undo: again && { action: () => again, at: action.path, left: 'nothing' },
    isGrave: again === undefined,
  });
}
