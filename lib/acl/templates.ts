/** Consul's templated policies: rules for what many need, made of a name where they are about one. */
import { nodeRules, serviceRules } from './identities.ts';
import type { TemplatedPolicy } from './model.ts';

export interface Template {
  readonly TemplateName: string;
  /** Of the variables, as JSON Schema; '' where there are none. */
  readonly Schema: string;
  readonly Template: string;
  readonly Description: string;
}

const NAME_SCHEMA = `{
	"type": "object",
	"properties": {
		"name": { "type": "string", "$ref": "#/definitions/min-length-one" }
	},
	"required": ["name"],
	"definitions": {
		"min-length-one": {
				"type": "string",
				"minLength": 1
		}
	}
}`;

/** What a template's text has for the name. */
const NAME = '{{.Name}}';

const NOMAD = `
agent_prefix "" {
	policy = "read"
}
node_prefix "" {
	policy = "read"
}
service_prefix "" {
	policy = "write"
}`;

const template = (name: string, text: string, Description: string): readonly [string, Template] => {
  const TemplateName = `builtin/${name}`;
  const Schema = text.includes(NAME) ? NAME_SCHEMA : '';
  return [TemplateName, { TemplateName, Schema, Template: text, Description }];
};

/** By name. */
export const TEMPLATES: ReadonlyMap<string, Template> = new Map([
  template(
    'api-gateway',
    `
mesh = "read"
node_prefix "" {
	policy = "read"
}
service_prefix "" {
	policy = "read"
}
service "${NAME}" {
	policy = "write"
}`,
    'What an API gateway of the mesh needs.',
  ),
  template(
    'dns',
    `
node_prefix "" {
	policy = "read"
}
service_prefix "" {
	policy = "read"
}
query_prefix "" {
	policy = "read"
}`,
    'What answering DNS needs.',
  ),
  template('node', nodeRules(NAME), 'What an agent needs for the node that it is.'),
  template(
    'nomad-client',
    `${NOMAD}
key_prefix "" {
	policy = "read"
}`,
    'What a client of Nomad needs.',
  ),
  template('nomad-server', `\nacl = "write"${NOMAD}`, 'What a server of Nomad needs.'),
  template('service', serviceRules(NAME), 'What a service needs, and the sidecar in front of it.'),
]);

/** The rules of one whose template is known; '' of one that is not, which gives nothing. */
export function templatedRules({ TemplateName, TemplateVariables }: TemplatedPolicy): string {
  const text = TEMPLATES.get(TemplateName)?.Template ?? '';
  return text.replaceAll(NAME, () => TemplateVariables?.Name ?? '');
}
