/**
 * Where our side and Node's (nghttp2) may part, each for a reason. What is in no list is a defect, here or there.
 * Both ways of all of them are allowed by RFC 9113, or ours is the stricter one.
 */
import { FLAG, FRAME } from '../../../../sidecar/http/h2/frames.ts';
import type { Frame } from './caller-frames.ts';

interface Different {
  /** What is told otherwise: the connection, or a stream by its number. */
  readonly what: string;
  readonly our: string;
  readonly node: string;
  readonly fault: string;
  readonly frames: readonly Frame[];
}

interface Difference {
  readonly why: string;
  readonly is: (different: Different) => boolean;
}

const isEnded = (told: string) => told.startsWith('ended');
const isOpen = (told: string) => told.startsWith('open');

const OF_CONNECTIONS: readonly Difference[] = [
  {
    why: 'Both end it. Of two things that are wrong with a frame each names one, and Node often none.',
    is: ({ our, node }) => isEnded(our) && isEnded(node),
  },
  {
    why: 'RFC 9113, 5.1: who goes on after the end of a stream ends the connection (or the stream); nghttp2 hears nothing of it.',
    is: ({ our, node, frames }) => our === 'ended 5' && isOpen(node) && goesOn(frames),
  },
  {
    why: 'The other way round: nghttp2 ends the connection, and ours the stream, as 5.1 has it of one that is half closed.',
    is: ({ our, node, frames }) => isOpen(our) && isEnded(node) && goesOn(frames),
  },
  {
    why: 'RFC 9113, 6.9: a window that is widened by nothing, or by too much, ends its stream, if that is there; by nghttp2 the connection.',
    is: ({ our, node, frames }) =>
      isOpen(our) && isEnded(node) && frames.some(({ type }) => type === FRAME.window),
  },
  {
    why: 'A frame whose padding is longer than itself ends the connection; nghttp2 does not look where its stream is over.',
    is: ({ our, node, frames }) =>
      our === 'ended 1' &&
      isOpen(node) &&
      frames.some(({ type, flags }) => type === FRAME.data && (flags & FLAG.padded) !== 0),
  },
  {
    why: 'nghttp2 takes no head in many frames; here eight are taken.',
    is: ({ our, node, frames }) => isOpen(our) && isEnded(node) && mostParts(frames) > 2,
  },
  {
    why: 'nghttp2 takes no more than 32 settings in one frame.',
    is: ({ our, node, frames }) => isOpen(our) && node === 'ended 11' && frames.some(saysMuch),
  },
  {
    why: 'Node ends where it hears an answer to what it has not asked.',
    is: ({ our, node, frames }) => isOpen(our) && isEnded(node) && frames.some(isUnasked),
  },
  {
    why: 'RFC 9113 has done away with priorities: whichever are said, they are not looked at.',
    is: ({ our, node, frames }) =>
      isOpen(our) && isEnded(node) && frames.some(({ type, flags }) => isWeighed(type, flags)),
  },
];

const RESET: Difference = {
  why: 'What is reset may have been whole before that was heard; it may be whole for one who had heard its end.',
  is: ({ what, frames }) =>
    frames.some(({ type, id }) => type === FRAME.reset && what === `stream ${id}`),
};

export const CALLERS_DIFFERENCES: readonly Difference[] = [
  ...OF_CONNECTIONS,
  RESET,
  {
    why: 'A length that is said behind a body is left out, as all that is about it.',
    is: ({ our, node, fault }) => our.startsWith('200') && node === 'reset 1' && fault !== '',
  },
  {
    why: "A caller's GOAWAY is about what is asked of him, which is nothing: his requests are answered all the same.",
    is: ({ our, node, frames }) =>
      isOpen(our) && isEnded(node) && frames.some(({ type }) => type === FRAME.goaway),
  },
  {
    why: 'What may be read in two ways, or is too much, is answered and not passed on.',
    is: ({ our, node }) =>
      /^4(00|31) /.test(our) && (node.startsWith('200') || node.startsWith('reset')),
  },
  {
    why: 'nghttp2 leaves a field out that may not be, and goes on; here all of such a head is refused.',
    is: ({ our, node, fault }) => our === 'reset 1' && node.startsWith('200') && mayBeBad(fault),
  },
  {
    why: 'A body that is said to be empty is none, with whatever comes behind it.',
    is: ({ our, node }) =>
      our.startsWith('200') && our.endsWith(' 0 da39a3ee  end') && node !== 'nothing',
  },
  {
    why: 'Its scheme goes nowhere: hosts are told another.',
    is: ({ fault, our }) => fault === 'a head: a scheme that is none' && our.startsWith('200'),
  },
];

export const HOSTS_DIFFERENCES: readonly Difference[] = [
  ...OF_CONNECTIONS,
  RESET,
  {
    why: 'Who has answered before he had all of a request gets no more of it.',
    is: ({ our, node }) => {
      const [answer = '', heard = ''] = our.split(', heard ');
      return (
        answer.startsWith('whole') &&
        heard.endsWith(' reset 8') &&
        !heard.includes(' end ') &&
        node.startsWith(`${answer}, heard`)
      );
    },
  },
  {
    why: 'nghttp2 leaves a field out that may not be, and goes on; here all of such an answer is refused.',
    is: ({ our, node, fault }) =>
      our.startsWith('broken') && node.startsWith('whole') && mayBeBad(fault),
  },
  {
    why: 'The other way round: nghttp2 takes no length twice, and none behind a body.',
    is: ({ our, node, fault }) =>
      our.startsWith('whole') && node.startsWith('broken') && mayBeBad(fault),
  },
  {
    why: 'Both refuse it; how much of the request had gone by then, and by which number, is no matter.',
    is: ({ our, node }) => our.startsWith('broken') && node.startsWith('broken'),
  },
  {
    why: 'A body without a head, or an end without one, ends a request here, and by nghttp2 all that is under way.',
    is: ({ our, node, fault }) => isOpen(our) && node === 'ended 1' && fault !== '',
  },
];

/** Whether somebody speaks on a stream of which he had said the end, or that he has passed over. */
function goesOn(frames: readonly Frame[]): boolean {
  const [begun, ended] = [new Set<number>(), new Set<number>()];
  let most = 0;
  return frames.some(({ type, flags, id }) => {
    const isSaid = type === FRAME.data || type === FRAME.head || type === FRAME.more;
    if (isSaid && (ended.has(id) || (id < most && !begun.has(id)))) return true;
    if (type === FRAME.head) begun.add(id);
    if (type === FRAME.head) most = Math.max(most, id);
    const isEnd = (flags & FLAG.end) !== 0 && (type === FRAME.data || type === FRAME.head);
    if (isEnd || type === FRAME.reset) ended.add(id);
    return false;
  });
}

function mostParts(frames: readonly Frame[]): number {
  let [most, now] = [0, 0];
  for (const { type } of frames) {
    now = type === FRAME.more ? now + 1 : 0;
    most = Math.max(most, now);
  }
  return most;
}

function saysMuch({ type, payload }: Frame): boolean {
  return type === FRAME.settings && payload.length > 32 * 6;
}

function isUnasked({ type, flags }: Frame): boolean {
  return (type === FRAME.ping || type === FRAME.settings) && (flags & FLAG.ack) !== 0;
}

function isWeighed(type: number, flags: number): boolean {
  return type === FRAME.priority || (type === FRAME.head && (flags & FLAG.priority) !== 0);
}

/** Where a head is lost, or read twice, those after it refer to something else: their fields are anybody's. */
function mayBeBad(fault: string): boolean {
  return /^(a head|a byte|a table|longer|shorter|twice|lost|swapped|of another)/.test(fault);
}
