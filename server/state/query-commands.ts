import type { PreparedQuery } from '../../lib/model.ts';
import { withFields } from '../../lib/with-fields.ts';
import type { SetQuery } from '../commands.ts';
import { sameRow } from './catalog.ts';
import { APPLIED, type Outcome, Refusal } from './outcome.ts';
import type { State } from './state.ts';

export function setQuery(state: State, { query, update }: SetQuery): Outcome {
  const before = state.queries.get(query.ID);
  if (update && before === undefined) throw new Refusal(unknown(query.ID));
  if (query.Session !== '' && state.sessions.get(query.Session) === undefined) {
    throw new Refusal(`invalid session "${query.Session}"`);
  }
  refuseTakenName(state, query);
  const row: PreparedQuery = withFields(query, {
    CreateIndex: before?.CreateIndex ?? state.index,
    ModifyIndex: state.index,
  });
  if (before === undefined || !sameRow(before, row)) state.queries.table.set(row.ID, row);
  return APPLIED;
}

export function deleteQuery(state: State, id: string): Outcome {
  if (!state.queries.table.delete(id)) throw new Refusal(unknown(id));
  return APPLIED;
}

function unknown(id: string): string {
  return `Cannot modify non-existent prepared query: '${id}'`;
}

/** A query is asked for by id or by name, so that no name may mean two of them. */
function refuseTakenName(state: State, { ID, Name: name, Template }: SetQuery['query']): void {
  const { queries } = state;
  const other = (found: PreparedQuery | undefined) => found !== undefined && found.ID !== ID;
  if (name !== '' && other(queries.named(name))) {
    throw new Refusal(`name '${name}' aliases an existing query name`);
  }
  if (Template.Type !== '' && name === '' && other(queries.template(''))) {
    throw new Refusal('a query template with an empty name already exists');
  }
  if (queries.get(name.toLowerCase()) !== undefined) {
    throw new Refusal(`name '${name}' aliases an existing query ID`);
  }
}
