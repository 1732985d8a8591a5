/** What policies and identities allow, as rules say it. */
import type { TokenInFull } from '../core/access.ts';
import { href } from '../core/router.ts';
import { accessWords } from '../words/access-words.ts';

export function GrantedRules({ token }: { readonly token: TokenInFull }) {
  const say = accessWords.value;
  const { ExpandedPolicies, ExpandedRoles } = token;
  const holders = [token, ...(ExpandedRoles ?? [])];
  const services = holders.flatMap(({ ServiceIdentities = [] }) => ServiceIdentities);
  const nodes = holders.flatMap(({ NodeIdentities = [] }) => NodeIdentities);
  return (
    <div class="granted">
      {(ExpandedPolicies ?? []).map(({ ID, Name, Rules: text = '' }) => (
        <details key={ID}>
          <summary>{say.rulesOf(Name)}</summary>
          <a href={href('access', 'policies', ID)}>{Name}</a>
          <Rules text={text} />
        </details>
      ))}
      {services.map(({ ServiceName }) => (
        <p key={ServiceName} class="aside">
          {say.identityText(ServiceName)}
        </p>
      ))}
      {nodes.map(({ NodeName }) => (
        <p key={NodeName} class="aside">
          {say.nodeText(NodeName)}
        </p>
      ))}
    </div>
  );
}

export function Rules({ text }: { readonly text: string }) {
  if (text.trim() === '') return <p class="aside">{accessWords.value.noRules}</p>;
  return <pre class="rules">{text.trim()}</pre>;
}
