/** Once, each by itself: what is no code of two figures stays, and a letter stands for a byte. */
export function decoded(path: string): string {
  return decodedWhere(path, () => true);
}

/** RFC 3986, 2.3: these mean the same however they are written. */
export function decodedUnreserved(path: string): string {
  return decodedWhere(path, (char) => /[\w.~-]/.test(char));
}

/** Those, and what slashes are. */
export function decodedStructure(path: string): string {
  return decodedWhere(path, (char) => /[\w.~/\\-]/.test(char));
}

function decodedWhere(path: string, isMeant: (char: string) => boolean): string {
  if (!path.includes('%')) return path;
  return path.replace(/%([0-9a-f]{2})/gi, (code, figures: string) => {
    const char = String.fromCharCode(Number.parseInt(figures, 16));
    return isMeant(char) ? char : code;
  });
}
