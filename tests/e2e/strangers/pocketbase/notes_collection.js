migrate((app) => {
  const mine = 'owner = @request.auth.id';
  app.save(new Collection({
    type: 'base',
    name: 'notes',
    listRule: mine, viewRule: mine, createRule: mine, updateRule: mine, deleteRule: mine,
    fields: [
      { type: 'text', name: 'title', required: true },
      { type: 'relation', name: 'owner', required: true, collectionId: '_pb_users_auth_', maxSelect: 1 },
    ],
  }));
}, () => {});
