/**
 * Who may change what: a command is judged by what is stored of that which it changes, not by what it
 * says of it. Where a race could pass, the judgement goes with it into the log: see state/judged.ts.
 */
import type { Rights } from '../../lib/acl/rights.ts';
import type { Command } from '../commands.ts';
import type { State } from '../state/state.ts';
import { Judge } from './judge-rows.ts';
import { judgeTxn } from './judge-txn.ts';

/** What clients may have applied, by the names in it. Of all else its row says who may. */
export type Judgeable = Extract<
  Command,
  {
    readonly type:
      | 'register'
      | 'deregister'
      | 'kv'
      | 'txn'
      | 'create-session'
      | 'destroy-session'
      | 'update-coordinates'
      | 'fire-event'
      | 'set-query'
      | 'delete-query'
      | 'set-intention'
      | 'delete-intention'
      | 'set-config-entry'
      | 'delete-config-entry'
      | 'take-serial'
      | 'eureka-register'
      | 'eureka-cancel'
      | 'eureka-revive'
      | 'eureka-status'
      | 'eureka-metadata';
  }
>;

/** The command, with what its judgement rests on where that may change. Throws a refusal. */
export function judge(state: State, rights: Rights, command: Judgeable): Judgeable {
  const may = new Judge(state, rights);
  switch (command.type) {
    case 'register':
      return { ...command, judged: may.register(command) };
    case 'deregister':
      return { ...command, ...may.deregister(command) };
    case 'set-query':
      may.change(command.query);
      if (command.update) may.change(state.queries.get(command.query.ID));
      return { ...command, judged: { at: state.index } };
    case 'delete-query':
      may.change(state.queries.get(command.id));
      return { ...command, judged: { at: state.index } };
    case 'txn':
      judgeTxn(state, rights, command.ops);
      return { ...command, judged: { at: state.index } };
    case 'kv':
      may.kv(command.op);
      return command;
    case 'create-session':
      // It keeps the spelling that it is made with.
      may.write('session', command.session.Node);
      may.write('session', may.stored(command.session.Node));
      return command;
    case 'destroy-session': {
      const session = state.sessions.get(command.id);
      if (session !== undefined) may.write('session', session.Node);
      return command;
    }
    case 'update-coordinates':
      for (const { Node } of command.coordinates) may.write('node', may.stored(Node));
      return command;
    case 'set-intention':
      if (command.how === 'update') may.intentionById(command.intention.ID);
      may.intention(command.intention);
      return { ...command, judged: { at: state.index } };
    case 'delete-intention':
      if ('ID' in command.which) may.intentionById(command.which.ID);
      else may.intention(command.which);
      return { ...command, judged: { at: state.index } };
    case 'set-config-entry':
      may.writeEntry(command.entry);
      return command;
    case 'delete-config-entry':
      may.deleteEntry(command.kind, command.name);
      return command;
    case 'fire-event':
      may.write('event', command.event.Name);
      return command;
    case 'eureka-register':
      may.write('service', command.info.app.toLowerCase());
      return command;
    case 'eureka-cancel':
    case 'eureka-revive':
    case 'eureka-status':
    case 'eureka-metadata':
      may.write('service', command.app.toLowerCase());
      return command;
    case 'take-serial':
      may.write('service', command.service);
      return command;
  }
}
