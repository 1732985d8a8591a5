/** What Eureka's clients read: each a query as all others are, so that who asks the same gets the same bytes. */

import type { Stand } from '../query/eureka-reader.ts';
import { type Content, keyOf, type Query } from '../query/query.ts';
import type { EurekaGone, VipKind } from '../state/eureka.ts';
import type { Form } from './decode.ts';
import { byApp, type Item, written, writtenApp, writtenApps } from './lists.ts';
import { hashCode, type Shown, shown, shownForeign, shownGone, shownRow, whole } from './shown.ts';

export interface Look {
  readonly form: Form;
  readonly isCompact: boolean;
  /** A service that is not shown, by its folded name. */
  readonly hidden: string;
}

const MISSING: Content = { status: 404 };
/** Clients then take everything. */
const FORGOTTEN: Content = { status: 403 };

export function allApps(look: Look): Query {
  return query(look, ['apps'], (reader) => {
    const all = seenBy(look, [...reader.eureka.all()]);
    return writtenApps(look, byApp(all), { version: reader.index, hash: hashCode(all) });
  });
}

/** Of what has changed beyond that index, with the hash of all that there is by now. */
export function changedApps(look: Look, since: number): Query {
  return query(look, ['delta', String(since)], (reader) => {
    const changes = reader.eureka.changedSince(since);
    if (changes === undefined) return FORGOTTEN;
    const gone = changes.gone.flatMap(shownLast).filter(({ info }) => isSeen(look, info.app));
    const items: Item[] = [
      ...seenBy(look, changes.changed),
      ...gone.map((each) => ({ gone: each })),
    ];
    const hash = hashCode(seenBy(look, changes.all));
    return writtenApps(look, byApp(items), { version: reader.index, hash, since });
  });
}

function shownLast({ row, instance, t }: EurekaGone): Shown[] {
  if (row !== undefined) return [shownGone(shownRow(row), row.ChangedAt)];
  if (instance === undefined) return [];
  const changedAt = instance.ModifyIndex;
  const last = { instance, node: undefined, status: 'passing', changedAt } as const;
  return [shownGone(shownForeign(last), t)];
}

export function appsByVip(look: Look, kind: VipKind, vip: string): Query {
  return query(look, [kind, vip], (reader) => {
    const found = seenBy(look, [...reader.eureka.withVip(kind, vip)]);
    return writtenApps(look, byApp(found), { version: -1, hash: hashCode(found) });
  });
}

export function oneApp(look: Look, name: string): Query {
  return query(look, ['app', name], (reader) => {
    const [app] = byApp(seenBy(look, [...reader.eureka.of(name)]));
    return app === undefined ? MISSING : writtenApp(look, app);
  });
}

/** Without the app, any of them that has such an instance. */
export function oneInstance(look: Look, id: string, app?: string): Query {
  return query(look, ['instance', app ?? '', id], (reader) => {
    const there = reader.eureka.withId(id, app);
    const [found] = seenBy(look, there === undefined ? [] : [there]);
    return found === undefined ? MISSING : writtenInstance(look.form, shown(found));
  });
}

/** By itself, in XML, a real one calls it DOWN when it is out of service: older clients know no other word. */
export function writtenInstance(form: Form, each: Shown): Content {
  const isOut = form === 'xml' && each.status === 'OUT_OF_SERVICE';
  const known = isOut ? { ...each, status: 'DOWN' as const } : each;
  return written({ form, isCompact: false }, 'instance', whole(known));
}

function query(look: Look, parts: readonly string[], run: Query['run']): Query {
  return { key: keyOf('eureka', look.form, look.isCompact, ...parts), run };
}

function seenBy(look: Look, all: readonly Stand[]): readonly Stand[] {
  if (look.hidden === '') return all;
  return all.filter((stand) =>
    isSeen(look, 'row' in stand ? stand.row.Info.app : stand.instance.Service),
  );
}

function isSeen({ hidden }: Look, app: string): boolean {
  return app.length !== hidden.length || app.toLowerCase() !== hidden;
}
