/** What is said about rules: translating older ones, templates of them, and what they allow. */

import { type Access, RESOURCES, type Resource, type Rights } from '../../../../lib/acl/rights.ts';
import { TEMPLATES, templatedRules } from '../../../../lib/acl/templates.ts';
import { translateRules } from '../../../../lib/acl/translate-rules.ts';
import type { Allowed } from '../../../../lib/answers.ts';
import { decoder, optional } from '../../../../lib/decode.ts';
import { ProconsulError } from '../../../../lib/errors.ts';
import type { Reply } from '../../../../lib/http/reply.ts';
import { asks } from '../../../../lib/http/right.ts';
import type { HttpRequest, Route } from '../../../../lib/http/route.ts';
import { MAX_RULES_BYTES } from '../../../../lib/limits.ts';
import * as queries from '../../../query/acl.ts';
import { readRoute } from '../../reads.ts';
import { ACL_READ, type AclDeps, badRequest, requiredId } from './deps.ts';
import { checkedTemplate } from './grants.ts';

export function ruleRoutes(deps: AclDeps): Route[] {
  return [...translations(deps), ...templates(), authorization()];
}

function translations(deps: AclDeps): Route[] {
  return [
    {
      method: 'POST',
      path: '/v1/acl/rules/translate',
      right: ACL_READ,
      body: { what: 'rules of before Consul 1.4' },
      does: 'translates rules of before Consul 1.4',
      handle: async (request) => translated(String(await request.body(MAX_RULES_BYTES))),
    },
    readRoute(deps, {
      right: ACL_READ,
      path: '/v1/acl/rules/translate/',
      rest: 'accessor',
      does: 'translates the rules of a token of the older API',
      query: ({ rest }) => queries.translatedRules(requiredId(rest, 'token')),
    }),
  ];
}

function translated(rules: string): Reply {
  try {
    const text = translateRules(rules);
    return text === '' ? {} : { text };
  } catch (error) {
    if (!(error instanceof ProconsulError)) throw error;
    throw badRequest(error.message.replace('Failed to parse ACL rules', 'Failed to parse rules'));
  }
}

function templates(): Route[] {
  const right = ACL_READ;
  return [
    {
      method: 'GET',
      path: '/v1/acl/templated-policies',
      right,
      does: 'lists the templates of policies',
      handle: () => ({ json: Object.fromEntries(TEMPLATES) }),
    },
    {
      method: 'GET',
      path: '/v1/acl/templated-policy/name/',
      rest: 'name',
      right,
      does: 'shows a template of policies',
      handle: ({ rest }) => {
        if (rest === '') throw badRequest('Missing templated policy Name');
        const template = TEMPLATES.get(rest);
        if (template !== undefined) return { json: template };
        throw badRequest(`Invalid templated policy Name: ${rest}`);
      },
    },
    {
      method: 'POST',
      path: '/v1/acl/templated-policy/preview/',
      rest: 'name',
      body: variablesBody,
      right,
      does: 'shows the rules that a template comes to',
      handle: preview,
    },
  ];
}

const variablesBody = optional(
  decoder<{ readonly Name: string }>(
    {
      type: 'object',
      properties: { Name: { type: 'string', default: '' } },
      unheeded: ['Datacenters', 'TemplateName', 'TemplateVariables'],
    },
    'Bad request: Failed to decode request body',
  ),
);

/** As the policy that whoever has it would have. */
async function preview(request: HttpRequest): Promise<Reply> {
  const { rest } = request;
  if (rest === '') throw badRequest('Missing templated policy Name');
  const variables = await request.json(variablesBody);
  const { TemplateName, TemplateVariables } = checkedTemplate(rest, variables);
  const Rules = templatedRules({ TemplateName, TemplateVariables, Datacenters: null });
  const Description = `synthetic policy generated from templated policy: ${TemplateName}`;
  return { json: { ID: '', Name: '', Description, Rules, CreateIndex: 0, ModifyIndex: 0 } };
}

interface Question {
  readonly Resource: string;
  readonly Access: string;
  readonly Segment: string;
}

const text = { type: 'string', default: '' } as const;
const questions = decoder<readonly Question[]>(
  {
    type: 'array',
    items: {
      type: 'object',
      properties: { Resource: text, Access: text, Segment: text },
      unheeded: ['Allow'],
    },
  },
  'Bad request: Failed to decode request body',
);

/** In one request; Consul has the same bound. */
const MAX_QUESTIONS = 64;
const MAX_QUESTIONS_BYTES = 64 * 1024;

function authorization(): Route {
  return {
    method: 'POST',
    path: '/v1/internal/acl/authorize',
    right: asks(),
    body: questions,
    does: 'says what whoever asks may do',
    handle: async (request) => {
      const asked = await request.json(questions, MAX_QUESTIONS_BYTES);
      if (asked.length > MAX_QUESTIONS) {
        throw badRequest(`Refusing to process more than ${MAX_QUESTIONS} authorizations at once`);
      }
      return { json: asked.map((question) => answered(request, question)) };
    },
  };
}

/** To everything whose name begins with the segment: as who deletes a folder must have it, who wants to see all, or puts all back. */
const UNDER: Readonly<Record<string, Access>> = { 'write-prefix': 'write', 'read-prefix': 'read' };
const OF_KEYS: ReadonlySet<string> = new Set(['list']);
const OF_ALL: ReadonlySet<string> = new Set([
  'read',
  'write',
  'read-prefix',
  'write-prefix',
  'write-any',
]);

/** `write-any` is to something, whatever it is called: as who is shown a way to make one must have it. */
function isAllowed(rights: Rights, resource: Resource, access: string, name: string): boolean {
  if (access === 'write-any') return rights.mayAny(resource, 'write');
  const under = Object.hasOwn(UNDER, access) ? UNDER[access] : undefined;
  return under === undefined
    ? rights.may(resource, access as Access, name)
    : rights.mayUnder(resource, under, name);
}

function answered({ caller }: HttpRequest, question: Question): Allowed {
  const { Resource: resource, Access, Segment } = question;
  if (!(RESOURCES as readonly string[]).includes(resource)) {
    throw badRequest(`Invalid ACL resource requested: ${JSON.stringify(resource)}`);
  }
  const isAccess = OF_ALL.has(Access) || (OF_KEYS.has(Access) && resource === 'key');
  if (!isAccess) throw badRequest(`Invalid access level for ${resource} resource: ${Access}`);
  const Allow = isAllowed(caller.rights, resource as Resource, Access, Segment);
  const segment = Segment === '' ? {} : { Segment };
  return { Resource: resource, ...segment, Access, Allow };
}
