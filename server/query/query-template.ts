/**
 * Templates of prepared queries: one query that answers for every name with its prefix, its texts
 * filled in from the name that was asked for.
 */
import { ProconsulError } from '../../lib/errors.ts';
import type { PreparedQuery, QueryService } from '../../lib/model.ts';
import { compileGroups, type Groups } from '../../lib/regexp.ts';

const NAME_PREFIX_MATCH = 'name_prefix_match';

/** Of all texts of a query together once they are filled in: a name may stand in one many times. */
const MAX_FILLED_LENGTH = 256 * 1024;

/** What is filled into a text. */
interface Filling {
  readonly name: string;
  readonly prefix: string;
  /** The whole match and its groups; none when the pattern does not match or there is none. */
  readonly groups: readonly string[];
}

type Part = string | ((filling: Filling) => string);

/** Throws ProconsulError 'rejected', as Consul words it, when the template is none. */
export function checkTemplate({ Template, Service }: Pick<PreparedQuery, 'Template' | 'Service'>) {
  if (Template.Type === '') return;
  if (Template.Type !== NAME_PREFIX_MATCH) throw bad(`Bad Template.Type '${Template.Type}'`);
  compileRegexp(Template.Regexp);
  walk(Service, (text, path) => {
    parse(text, path);
    return text;
  });
}

/** The query for one name: itself, or the template filled in. */
export function fillIn(query: PreparedQuery, name: string): PreparedQuery {
  const { Template, Service, Name } = query;
  if (Template.Type === '') return query;
  const filling: Filling = { name, prefix: Name, groups: groupsOf(query, name) };
  const room = { left: MAX_FILLED_LENGTH };
  const filled = walk(Service, (text, path) => render(parse(text, path), filling, room));
  if (!Template.RemoveEmptyTags) return { ...query, Service: filled };
  return { ...query, Service: { ...filled, Tags: (filled.Tags ?? []).filter((t) => t !== '') } };
}

/** Rows are immutable, so that what was compiled for one stays right. */
const compiled = new WeakMap<PreparedQuery, Groups>();

function groupsOf(query: PreparedQuery, name: string): readonly string[] {
  if (query.Template.Regexp === '') return [];
  const groups = compiled.get(query) ?? compileRegexp(query.Template.Regexp);
  compiled.set(query, groups);
  return groups(name);
}

function compileRegexp(pattern: string): Groups {
  try {
    return compileGroups(pattern);
  } catch (cause) {
    throw bad(`Bad Regexp: ${cause instanceof Error ? cause.message : ''}`, cause);
  }
}

type Change = (text: string, path: string) => string;

/** Every text of it that may hold a template, changed. Keys of maps are taken as they stand. */
function walk(service: QueryService, change: Change): QueryService {
  const one = (text: string, path: string) => change(text, `Service.${path}`);
  const list = (texts: readonly string[] | null, path: string) =>
    texts?.map((text, i) => one(text, `${path}[${i}]`)) ?? null;
  const map = (texts: QueryService['NodeMeta'], path: string) =>
    texts === null
      ? null
      : Object.fromEntries(
          Object.entries(texts).map(([key, text]) => [key, one(text, `${path}[${key}]`)]),
        );
  return {
    ...service,
    Service: one(service.Service, 'Service'),
    Failover: {
      ...service.Failover,
      Datacenters: list(service.Failover.Datacenters, 'Failover.Datacenters'),
    },
    IgnoreCheckIDs: list(service.IgnoreCheckIDs, 'IgnoreCheckIDs'),
    Near: one(service.Near, 'Near'),
    Tags: list(service.Tags, 'Tags'),
    NodeMeta: map(service.NodeMeta, 'NodeMeta'),
    ServiceMeta: map(service.ServiceMeta, 'ServiceMeta'),
  };
}

const VARIABLES: Readonly<Record<string, (filling: Filling) => string>> = {
  'name.full': ({ name }) => name,
  'name.prefix': ({ prefix }) => prefix,
  // As Consul: a prefix in another case than the name's cuts nothing off.
  'name.suffix': ({ name, prefix }) => (name.startsWith(prefix) ? name.slice(prefix.length) : name),
  // Segments are not known here.
  'agent.segment': () => '',
};

/** `$${` stands for `${`. */
const TOKEN = /\$\$\{|\$\{([^}]*)(\}?)/g;
/** One argument at most; what stands in it is looked at afterwards: in one expression the cost of blanks would be their square. */
const CALL = /^(\w+)\(([^()]*)\)$/;

function parse(text: string, path: string): Part[] {
  const parts: Part[] = [];
  let end = 0;
  for (const token of text.matchAll(TOKEN)) {
    parts.push(text.slice(end, token.index));
    end = token.index + token[0].length;
    const [, inner, brace] = token;
    if (inner === undefined) parts.push('${');
    else parts.push(expression(inner.trim(), brace === '}', { text, path }));
  }
  parts.push(text.slice(end));
  return parts;
}

interface Place {
  readonly text: string;
  readonly path: string;
}

function expression(inner: string, closed: boolean, { text, path }: Place): Part {
  const evaluation = (why: string) => bad(`Bad evaluation for '${text}' in ${path}: ${why}`);
  const variable = closed ? lookUpVariable(inner) : undefined;
  if (variable !== undefined) return variable;
  if (closed && /^[\w.]+$/.test(inner)) throw evaluation(`unknown variable accessed: ${inner}`);
  const [, name, between = ''] = (closed && CALL.exec(inner)) || [];
  const argument = between.trim();
  if (name === undefined || !/^-?\d*$/.test(argument))
    throw bad(`Bad format '${text}' in ${path}: parse error: syntax error`);
  if (name !== 'match') throw evaluation(`unknown function called: ${name}`);
  if (argument === '') throw evaluation('match: expected 1 arguments, got 0');
  const group = Number(argument);
  return ({ groups }) => groups[group] ?? '';
}

function lookUpVariable(name: string): ((filling: Filling) => string) | undefined {
  return Object.hasOwn(VARIABLES, name) ? VARIABLES[name] : undefined;
}

function render(parts: readonly Part[], filling: Filling, room: { left: number }): string {
  let text = '';
  for (const part of parts) {
    const more = typeof part === 'string' ? part : part(filling);
    room.left -= more.length;
    if (room.left < 0) throw bad(`its texts come to more than ${MAX_FILLED_LENGTH} characters`);
    text += more;
  }
  return text;
}

function bad(why: string, cause?: unknown): ProconsulError {
  return new ProconsulError('rejected', `failed compiling template: ${why}`, { cause });
}
