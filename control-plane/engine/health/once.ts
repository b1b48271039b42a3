/**
 * Work that is done once for a list and not once for every region that reads it. Pure to its callers: evidence lists are never changed in
 * place, and what was computed goes when the list does.
 */
export const oncePer = <List extends object, Result>(compute: (list: List) => Result): ((list: List) => Result) => {
  const known = new WeakMap<List, Result>();
  return (list) => {
    const before = known.get(list);
    if (before !== undefined) return before;
    const result = compute(list);
    known.set(list, result);
    return result;
  };
};
