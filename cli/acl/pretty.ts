/** The objects of access control as lines for a person. */
import { encodeJson } from '../../lib/json.ts';
import type { AuthMethod, BindingRule, Link, Links, Policy, Role, Token } from './objects.ts';

export interface Style {
  /** With the hash and the indexes. */
  readonly meta: boolean;
  /** One of many: its name before it, and what is too long left out. */
  readonly inList: boolean;
}

const INDENT = '   ';
/** As wide as the longest label and the gap after it, for each kind of object. */
const WIDTH = 14;
const METHOD_WIDTH = 15;
const TOKEN_WIDTH = 18;

type Row = readonly [label: string, value: string];

export function prettyToken(token: Token, { meta, inList }: Style): string {
  const rows: readonly Row[] = [
    ['AccessorID', token.AccessorID],
    ...(inList ? [] : [['SecretID', token.SecretID ?? ''] as const]),
    ['Description', token.Description],
    ['Local', String(token.Local)],
    ...optional('Auth Method', token.AuthMethod),
    ['Create Time', goTime(token.CreateTime)],
    ...optional('Expiration Time', token.ExpirationTime && goTime(token.ExpirationTime)),
    ...(inList ? [['Legacy', String(token.Legacy ?? false)] as const] : []),
    ...(meta ? metaRows(token) : []),
  ];
  const rules = token.Rules ? `Rules:\n${token.Rules}\n` : '';
  return `${lines(rows, TOKEN_WIDTH)}${prettyLinks(token, token.Roles)}${rules}`;
}

/** A policy's rules end it, as they stand. */
export function prettyPolicy(policy: Policy, { meta, inList }: Style): string {
  const rows: readonly Row[] = [
    ['ID', policy.ID],
    ...(inList ? [] : [['Name', policy.Name] as const]),
    ['Description', policy.Description],
    ['Datacenters', (policy.Datacenters ?? []).join(', ')],
    ...(meta ? metaRows(policy) : []),
  ];
  if (inList) return entry(policy.Name, lines(rows, WIDTH));
  return `${lines(rows, WIDTH)}Rules:\n${policy.Rules ?? ''}`;
}

export function prettyRole(role: Role, { meta, inList }: Style): string {
  const rows: readonly Row[] = [
    ['ID', role.ID],
    ...(inList ? [] : [['Name', role.Name] as const]),
    ['Description', role.Description],
    ...(meta ? metaRows(role) : []),
  ];
  const text = `${lines(rows, WIDTH)}${prettyLinks(role)}`;
  return inList ? entry(role.Name, text) : text;
}

export function prettyAuthMethod(method: AuthMethod, { meta, inList }: Style): string {
  const rows: readonly Row[] = [
    ...(inList ? [] : [['Name', method.Name] as const]),
    ['Type', method.Type],
    ...optional('DisplayName', method.DisplayName),
    ['Description', method.Description ?? ''],
    ...(inList ? [] : optional('MaxTokenTTL', method.MaxTokenTTL)),
    ...(inList ? [] : optional('TokenLocality', method.TokenLocality)),
    ...(meta ? indexRows(method) : []),
  ];
  if (inList) return entry(method.Name, lines(rows, WIDTH));
  return `${lines(rows, METHOD_WIDTH)}Config:\n${twoSpaces(encodeJson(method.Config, true))}`;
}

export function prettyBindingRule(rule: BindingRule, { meta, inList }: Style): string {
  const rows: readonly Row[] = [
    ...(inList ? [] : [['ID', rule.ID] as const]),
    ['AuthMethod', rule.AuthMethod],
    ['Description', rule.Description],
    ['BindType', rule.BindType],
    ['BindName', rule.BindName],
    ['Selector', rule.Selector],
    ...(meta ? indexRows(rule) : []),
  ];
  return inList ? entry(rule.ID, lines(rows, WIDTH)) : lines(rows, WIDTH);
}

function prettyLinks(links: Links, roles: readonly Link[] | null = null): string {
  const named = ({ ID, Name }: Link) => `${ID} - ${Name}`;
  return [
    section('Policies', links.Policies?.map(named)),
    section('Roles', roles?.map(named)),
    section(
      'Service Identities',
      links.ServiceIdentities?.map(({ ServiceName, Datacenters }) => {
        const where = Datacenters ? Datacenters.join(', ') : 'all';
        return `${ServiceName} (Datacenters: ${where})`;
      }),
    ),
    section(
      'Node Identities',
      links.NodeIdentities?.map(({ NodeName, Datacenter }) => {
        return `${NodeName} (Datacenter: ${Datacenter})`;
      }),
    ),
  ].join('');
}

function section(title: string, entries: readonly string[] = []): string {
  if (entries.length === 0) return '';
  return [`${title}:\n`, ...entries.map((each) => `${INDENT}${each}\n`)].join('');
}

function metaRows(object: { Hash?: string; CreateIndex: number; ModifyIndex: number }) {
  const hash = Buffer.from(object.Hash ?? '', 'base64').toString('hex');
  return [['Hash', hash] as const, ...indexRows(object)];
}

function indexRows(object: { CreateIndex: number; ModifyIndex: number }): readonly Row[] {
  return [
    ['Create Index', String(object.CreateIndex)],
    ['Modify Index', String(object.ModifyIndex)],
  ];
}

function optional(label: string, value: string | undefined): readonly Row[] {
  return value ? [[label, value]] : [];
}

function lines(rows: readonly Row[], width: number): string {
  return rows.map(([label, value]) => `${`${label}:`.padEnd(width)}${value}\n`).join('');
}

/** The name alone on a line, what belongs to it below. */
function entry(name: string, text: string): string {
  return `${name}:\n${text.replace(/^(?=.)/gm, INDENT)}`;
}

/** `2020-01-02T03:04:05.6Z` as Go prints a time. */
function goTime(text: string): string {
  const [, day, clock, zone = ''] = /^(.*)T([\d:.]+)(.*)$/.exec(text) ?? [];
  if (day === undefined) return text;
  const offset = zone.replace(':', '');
  return `${day} ${clock} ${zone === 'Z' ? '+0000 UTC' : `${offset} ${offset}`}`;
}

/** A text of JSON holds no line breaks but its own. */
function twoSpaces(json: string): string {
  return json.replace(/^ +/gm, (indent) => indent.slice(indent.length / 2));
}
