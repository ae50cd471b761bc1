// Waiting for what happens, never for time to pass: every limit here is there to fail a test that hangs.

export const PATIENCE = 20_000;

// within fails when promise takes longer than ms.
export function within(promise, what, ms = PATIENCE) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`waited ${ms} ms for ${what}`)), ms);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

// event returns the arguments of the next event.
export function event(emitter, name, ms = PATIENCE) {
  return within(new Promise((resolve) => emitter.once(name, (...args) => resolve(args))), `the event ${name}`, ms);
}

// until asks again and again until the answer is true; each question is a round trip or a turn of the loop.
export async function until(question, what, ms = PATIENCE) {
  const end = Date.now() + ms;
  for (;;) {
    const answer = await question();
    if (answer) return answer;
    if (Date.now() > end) throw new Error(`waited ${ms} ms for ${what}`);
    await new Promise(setImmediate);
  }
}
