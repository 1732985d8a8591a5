/** What is decided of a call: a sign, a word and a colour, of which each says it alone. */
import '../style/decision.css';
import { ANY, type Decision } from '../core/mesh.ts';
import { intentionWords } from '../words/intention-words.ts';

/** Drawn in a field of 16 by 16: an arrow that goes on, one that is stopped, one that is looked at. */
const SIGNS: Readonly<Record<Decision, string>> = {
  allow: 'M1 7h9V3.5L15.5 8 10 12.5V9H1Z',
  deny: 'M1 7h6v2H1ZM8.2 4.6 9.6 3.2 16 9.6 14.6 11ZM14.6 3.2 16 4.6 9.6 11 8.2 9.6Z',
  requests: 'M1 7h3v2H1ZM5.5 7h3v2h-3ZM10 3.5 15.5 8 10 12.5Z',
};

export function DecisionSign({ of }: { readonly of: Decision }) {
  return (
    <span class={`decision ${of}`}>
      <svg class="shape" viewBox="0 0 16 16" aria-hidden="true">
        <path d={SIGNS[of]} />
      </svg>
      {intentionWords.value.decisions[of]}
    </span>
  );
}

/** A service's name, or that any is meant. */
export function nameOf(name: string): string {
  return name === ANY ? intentionWords.value.anybody : name;
}
