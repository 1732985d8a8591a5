/** What a real Eureka tells a server that it takes for its peer: many things at once, each answered for itself. */
import { ProconsulError } from '../../lib/errors.ts';
import { type EurekaName, eurekaKey } from '../eureka-commands.ts';
import { decodeInstance, numberIn, shapeIn, statusNamed, textIn } from './decode.ts';
import { Unparsable } from './faults.ts';
import type { Asking, EurekaRegistry } from './registry.ts';
import { type Shape, shownRow, whole } from './shown.ts';

/** A real one sends 250. */
const MAX_ITEMS = 2048;
const ACTIONS = [
  'Heartbeat',
  'Register',
  'Cancel',
  'StatusUpdate',
  'DeleteStatusOverride',
] as const;

interface Item extends EurekaName {
  readonly action: (typeof ACTIONS)[number];
  readonly dirtyAt: number | undefined;
  readonly status: string;
  readonly info: unknown;
}

interface ItemReply {
  readonly statusCode: number;
  readonly responseEntity?: Shape;
}

type Registry = Pick<EurekaRegistry, 'register' | 'renew' | 'cancel' | 'setStatus'>;

const REFUSED: Readonly<Record<string, number>> = { forbidden: 403, invalid: 400 };

export async function takeBatch(registry: Registry, asking: Asking, body: unknown): Promise<Shape> {
  const list = shapeIn(body)['replicationList'];
  // A real one falls over it.
  if (list === undefined || list === null) throw new ProconsulError('internal', 'no list');
  if (!Array.isArray(list)) throw new Unparsable();
  if (list.length > MAX_ITEMS) {
    throw new ProconsulError('invalid', `More than ${MAX_ITEMS} items in a batch`);
  }
  const items = list.map(itemIn);
  const replies = new Map<Item, ItemReply>();
  // Those of one instance in their order, and all others beside them: the peer does not wait for long.
  await Promise.all(
    ofEach(items).map(async (some) => {
      for (const item of some) replies.set(item, await replyTo(registry, asking, item));
    }),
  );
  return { responseList: items.map((item) => replies.get(item)) };
}

function itemIn(sent: unknown): Item {
  const item = shapeIn(sent);
  const action = ACTIONS.find((name) => name === item['action']);
  if (action === undefined) throw new Unparsable();
  return {
    action,
    app: (textIn(item['appName']) ?? '').toUpperCase(),
    id: textIn(item['id']) ?? '',
    dirtyAt: numberIn(item['lastDirtyTimestamp']),
    status: textIn(item['status']) ?? '',
    info: item['instanceInfo'],
  };
}

function ofEach(items: readonly Item[]): Item[][] {
  const groups = new Map<string, Item[]>();
  for (const item of items) {
    const others = groups.get(eurekaKey(item));
    if (others === undefined) groups.set(eurekaKey(item), [item]);
    else others.push(item);
  }
  return [...groups.values()];
}

async function replyTo(registry: Registry, asking: Asking, item: Item): Promise<ItemReply> {
  try {
    return await done(registry, asking, item);
  } catch (error) {
    if (!(error instanceof ProconsulError)) throw error;
    return { statusCode: REFUSED[error.code] ?? 500 };
  }
}

async function done(registry: Registry, asking: Asking, item: Item): Promise<ItemReply> {
  const { app, id, dirtyAt, info } = item;
  switch (item.action) {
    case 'Register':
      if (info === undefined || info === null) return { statusCode: 500 };
      await registry.register(asking, decodeInstance(shapeIn(info), 'json', app), true);
      return { statusCode: 200 };
    case 'Heartbeat': {
      const known = await registry.renew(asking, { app, id, dirtyAt, isReplica: true });
      if (typeof known === 'boolean') return found(known);
      return { statusCode: 409, responseEntity: whole(shownRow(known.known)) };
    }
    case 'Cancel':
      return found(await registry.cancel(asking, { app, id }));
    case 'StatusUpdate':
    case 'DeleteStatusOverride': {
      const override = item.action === 'StatusUpdate';
      const status = statusNamed(item.status) ?? 'UNKNOWN';
      return found(await registry.setStatus(asking, { app, id, status, override, dirtyAt }));
    }
  }
}

function found(isThere: boolean): ItemReply {
  return { statusCode: isThere ? 200 : 404 };
}
