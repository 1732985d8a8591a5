/** What a prepared query looks for, in words. */
import type { PreparedQuery, QueryService, StringMap } from '../../lib/model.ts';
import { isTemplate, nameOf } from '../core/prepared-queries.ts';
import { href } from '../core/router.ts';
import { queryWords } from '../words/query-words.ts';
import type { Fact } from './facts.tsx';

/** Which of a service's instances it takes. */
export function narrowedTo(service: QueryService): readonly string[] {
  const say = queryWords.value;
  const { OnlyPassing, Connect, Near, Tags, IgnoreCheckIDs, NodeMeta, ServiceMeta } = service;
  const parts = [
    OnlyPassing && say.onlyPassing,
    Connect && say.connect,
    ...(Tags ?? []).map((tag) =>
      tag.startsWith('!') ? say.withoutTag(tag.slice(1)) : say.tag(tag),
    ),
    ...metaInWords(say.ofNode, NodeMeta),
    ...metaInWords(say.ofService, ServiceMeta),
    (IgnoreCheckIDs ?? []).length > 0 && say.ignored((IgnoreCheckIDs ?? []).join(', ')),
    Near !== '' && say.near(Near),
  ];
  return parts.filter((part) => part !== false);
}

function metaInWords(of: string, meta: StringMap | null): readonly string[] {
  return Object.entries(meta ?? {}).map(([name, value]) => queryWords.value.meta(of, name, value));
}

export function failoverInWords({ Failover }: QueryService): string {
  const say = queryWords.value;
  const { NearestN, Datacenters } = Failover;
  const parts = [NearestN > 0 && say.nearest(NearestN), ...(Datacenters ?? [])].filter(Boolean);
  return parts.length === 0 ? say.noFailover : parts.join(', ');
}

/** For which names it answers, where that is not just its own. */
export function namesInWords(query: PreparedQuery): string {
  const say = queryWords.value;
  if (!isTemplate(query)) return query.Name === '' ? say.unnamed : '';
  return query.Name === '' ? say.templateOfAll : say.template(query.Name);
}

export function factsOf(query: PreparedQuery): readonly Fact[] {
  const say = queryWords.value;
  const { Service: service, DNS, Session, Token, Template } = query;
  const narrowed = narrowedTo(service);
  const facts: Fact[] = [
    [say.name, `${nameOf(query)} ${namesInWords(query)}`],
    [say.service, serviceOf(query)],
    [say.narrowed, narrowed.length === 0 ? say.nothingElse : narrowed.join(', ')],
    [say.failover, failoverInWords(service)],
    [say.ttl, DNS.TTL || say.ttlNone],
    [say.token, Token === '' ? say.ownToken : say.hiddenToken],
  ];
  if (Template.Regexp !== '') facts.push([say.regexp, <code key="regexp">{Template.Regexp}</code>]);
  if (Session !== '') facts.push([say.session, <code key="session">{Session}</code>]);
  return facts;
}

/** Of a template its name is made of the one that is asked for, and leads nowhere. */
export function serviceOf(query: PreparedQuery) {
  const { Service: name } = query.Service;
  return name.includes('${') ? <code>{name}</code> : <a href={href('services', name)}>{name}</a>;
}
