/**
 * Lists of applications, written one instance after another: there may be a hundred thousand, and each is a
 * kilobyte, which most have been written as before.
 */
import { ByteCache } from '../../lib/byte-cache.ts';
import { appOf, foreignId, type Stand } from '../query/eureka-reader.ts';
import type { Content } from '../query/query.ts';
import type { Form } from './decode.ts';
import { compact, type Shape, type Shown, shown, whole } from './shown.ts';
import { writeXml } from './xml.ts';

/** In a list of changes, also one that has gone. */
export type Item = Stand | { readonly gone: Shown };

/** In the order of names. */
export type Apps = readonly (readonly [name: string, instances: readonly Item[]])[];

interface Wanted {
  readonly form: Form;
  readonly isCompact: boolean;
}

interface Said {
  readonly version: number;
  readonly hash: string;
  /** The index beyond which what came is new. */
  readonly since?: number;
}

/** What an instance keeps alive until it is written. */
const HOLDS_BYTES = 128;

export function byApp(all: readonly Item[]): Apps {
  const names = new Map<string, string>();
  const apps = new Map<string, Item[]>();
  for (const item of all) {
    const name = appName(item, names);
    const others = apps.get(name);
    if (others === undefined) apps.set(name, [item]);
    else others.push(item);
  }
  return [...apps.keys()].sort().map((name) => [name, apps.get(name) ?? []]);
}

function appName(item: Item, names: Map<string, string>): string {
  if ('gone' in item) return item.gone.info.app;
  if ('row' in item) return item.row.Info.app;
  const { Service: service } = item.instance;
  const known = names.get(service);
  if (known !== undefined) return known;
  const name = appOf(service);
  names.set(service, name);
  return name;
}

/** In the order of ids; each is made when it is written. */
function* shownIn(items: readonly Item[], since = 0): Iterable<Shown> {
  const inOrder = items
    .map((item) => [idOf(item), item] as const)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  for (const [, item] of inOrder) yield 'gone' in item ? item.gone : shown(item, since);
}

/** What it is known by among those of its app. */
function idOf(item: Item): string {
  if ('row' in item) return item.row.Id;
  if ('instance' in item) return foreignId(item.instance);
  const { info } = item.gone;
  return info.instanceId ?? info.dataCenterInfo.metadata?.['instance-id'] ?? info.hostName;
}

export function writtenApps(wanted: Wanted, apps: Apps, { version, hash, since }: Said): Content {
  const said = { versions__delta: String(version), apps__hashcode: hash };
  const { form, isCompact } = wanted;
  const count = apps.reduce((sum, [, items]) => sum + items.length, 0);
  const made = {
    json: () => (isCompact ? compactJson(apps, said, since) : jsonTexts(apps, said, since)),
    xml: () => (isCompact ? compactXml(apps, said, since) : xmlTexts(apps, said, since)),
  };
  return contentOf(form, made[form], count);
}

function contentOf(form: Form, made: () => Iterable<string>, count: number): Content {
  return {
    texts: { made, holds: count * HOLDS_BYTES },
    contentType: `application/${form}`,
  };
}

/** By itself. */
export function writtenApp({ form, isCompact }: Wanted, [name, items]: Apps[number]): Content {
  const indent = isCompact ? null : STEP;
  const end = isCompact ? '' : '\n';
  const shape = isCompact ? compact : whole;
  function* xml(): Iterable<string> {
    yield `<application>${end}${writeXml('name', name, indent)}`;
    for (const each of shownIn(items)) yield writeXml('instance', shape(each), indent);
    yield '</application>';
  }
  function* json(): Iterable<string> {
    yield '{"application":';
    yield* appJson(name, shownIn(items), isCompact ? compactText : wholeText);
    yield '}';
  }
  return contentOf(form, form === 'json' ? json : xml, items.length);
}

const STEP = '  ';
const wholeText = (each: Shown) => textOf('json', each);
const compactText = (each: Shown) => JSON.stringify(compact(each));

function* appJson(
  name: string,
  all: Iterable<Shown>,
  textFor: (each: Shown) => string,
): Iterable<string> {
  yield `{"name":${JSON.stringify(name)},"instance":[`;
  let comma = '';
  for (const each of all) {
    yield comma + textFor(each);
    comma = ',';
  }
  yield ']}';
}

function* appsJson(apps: Apps, textFor: (each: Shown) => string, since?: number): Iterable<string> {
  let comma = '';
  for (const [name, items] of apps) {
    yield comma;
    yield* appJson(name, shownIn(items, since), textFor);
    comma = ',';
  }
}

function* compactJson(apps: Apps, said: Shape, since?: number): Iterable<string> {
  yield '{"applications":{"application":[';
  yield* appsJson(apps, compactText, since);
  yield `],${JSON.stringify({ ...emptiness(apps), ...said }).slice(1)}}`;
}

function* compactXml(apps: Apps, said: Shape, since?: number): Iterable<string> {
  yield '<applications>';
  for (const [name, items] of apps) {
    yield `<application>${writeXml('name', name, null)}`;
    for (const each of shownIn(items, since)) yield writeXml('instance', compact(each), null);
    yield '</application>';
  }
  const fields = Object.entries({ ...emptiness(apps), ...said });
  yield `${fields.map(([name, value]) => writeXml(name, value, null)).join('')}</applications>`;
}

function emptiness(apps: Apps): Shape {
  return { registeredApplicationsEmpty: apps.length === 0 };
}

function* jsonTexts(apps: Apps, said: Shape, since?: number): Iterable<string> {
  yield `{"applications":${JSON.stringify(said).slice(0, -1)},"application":[`;
  yield* appsJson(apps, wholeText, since);
  yield ']}}';
}

function* xmlTexts(apps: Apps, said: Shape, since?: number): Iterable<string> {
  const fields = Object.entries(said).map(([name, value]) => writeXml(name, value, '  '));
  yield `<applications>\n${fields.join('')}`;
  for (const [name, items] of apps) {
    yield `  <application>\n${writeXml('name', name, '    ')}`;
    for (const each of shownIn(items, since)) yield textOf('xml', each);
    yield '  </application>\n';
  }
  yield '</applications>';
}

/** Of some thirty thousand instances in either form; a text keeps its row alive. */
const KEPT = { maxBytes: 64 * 1024 * 1024, rowBytes: 1024 };
const TEXTS = {
  json: new ByteCache<object, string>(KEPT),
  xml: new ByteCache<object, string>(KEPT),
};

/** As it stands in a list of all applications. */
function textOf(form: Form, each: Shown): string {
  if (each.of === undefined) return textAnew(form, each);
  const make = () => {
    const value = textAnew(form, each);
    return { value, bytes: value.length + KEPT.rowBytes };
  };
  return TEXTS[form].getOrKeep(each.of, make).value;
}

function textAnew(form: Form, each: Shown): string {
  const shape = whole(each);
  return form === 'json' ? JSON.stringify(shape) : writeXml('instance', shape, '    ');
}

export function written({ form, isCompact }: Wanted, name: string, shape: Shape): Content {
  const text =
    form === 'json'
      ? JSON.stringify({ [name]: shape })
      : writeXml(name, shape, isCompact ? null : '').trimEnd();
  return { bytes: Buffer.from(text), contentType: `application/${form}` };
}
