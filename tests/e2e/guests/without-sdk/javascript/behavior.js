// Someone who asks for `/health` and is done: the contract by componentize-js alone, without any SDK.
class Session {
  constructor(setup) {
    this.user = setup.user.index;
    this.asked = false;
  }

  next(context, outcomes) {
    if (this.asked) {
      const [first] = outcomes;
      if (first.tag !== 'response' || first.val.status !== 200) {
        throw JSON.stringify(first.tag);
      }
      return { delayMs: 0, action: { tag: 'done', val: 'completed' } };
    }
    this.asked = true;
    console.log('I am', this.user, 'in', new Date().getFullYear());
    const request = {
      method: 'get', path: '/health', route: '/health', category: 'monitoring', headers: [], capture: {},
    };
    return { delayMs: 0, action: { tag: 'requests', val: [request] } };
  }
}

export const behavior = {
  Session,
  describe: () => ({
    name: 'without-sdk',
    version: '0.1.0',
    routes: [{ method: 'get', path: '/health', category: 'monitoring' }],
    categories: ['monitoring'],
  }),
};
