/** Does something again and again with a pause between, until told to stop. One round at a time. */
export const repeat = (periodMs: number, round: () => Promise<void>): (() => void) => {
  let isOver = false;
  let timer: NodeJS.Timeout | undefined;
  const go = async (): Promise<void> => {
    await round();
    if (!isOver) timer = setTimeout(() => void go(), periodMs);
  };
  void go();
  return () => {
    isOver = true;
    clearTimeout(timer);
  };
};
