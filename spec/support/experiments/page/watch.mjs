/**
 * Run in the page before anything of it is: when rows are first there, when one comes to say something, and how
 * long frames take while it is scrolled.
 */
const { document, MutationObserver, requestAnimationFrame } = globalThis;
const frame = () => new Promise((resolve) => requestAnimationFrame(resolve));
const painted = async () => {
  await frame();
  await new Promise((resolve) => setTimeout(resolve));
  return Date.now();
};

/** Resolves with the time when the rows are so that it holds, and that has been painted. */
const until = (holds) =>
  new Promise((resolve) => {
    const observer = new MutationObserver(() => look());
    const look = () => {
      if (!holds()) return;
      observer.disconnect();
      resolve(painted());
    };
    observer.observe(document, { childList: true, subtree: true, characterData: true });
    look();
  });

const rowOf = (name) =>
  [...document.querySelectorAll('.rows .row')].find(
    (row) => row.querySelector('a')?.textContent === name,
  );

globalThis.watch = {
  firstRows: until(() => document.querySelector('.rows .row') !== null),
  /** Until a row of that name is in sight that says the text, or until none does. */
  says: (name, text, isSaid) =>
    until(() => (rowOf(name)?.textContent.includes(text) === true) === isSaid),
  status: (text) =>
    until(() => {
      const said = document.querySelector('[role=status]')?.textContent ?? '';
      return text === '' ? said === '' : said.includes(text);
    }),
  /** In place of the page: as many lines of text as high as its rows, of which nothing is written by a program. */
  bare: (rows) => {
    const list = document.createElement('div');
    for (let i = 0; i < rows; i++) {
      const row = document.createElement('div');
      row.className = 'row';
      row.textContent = `web-${i} all 10 passing 12 minutes ago v1 primary`;
      list.append(row);
    }
    document.body.replaceChildren(list);
  },
  /** Each frame's milliseconds, and how many showed no row where one belongs. */
  scrolled: async (frames, pixels) => {
    const times = [];
    let [last, blank] = [await frame(), 0];
    for (let i = 0; i < frames; i++) {
      globalThis.scrollBy(0, pixels);
      const now = await frame();
      times.push(now - last);
      last = now;
      const [x, y] = [globalThis.innerWidth / 2, globalThis.innerHeight / 2];
      if (document.elementFromPoint(x, y)?.closest('.row') == null) blank++;
    }
    globalThis.scrollTo(0, 0);
    return { times, blank };
  },
};
