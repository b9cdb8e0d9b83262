// The ltijs tool that launches are compared with: node ltijs.cjs '{"port", "database": {...}, "platform": {...}}'
// Logins and launches as its README sets them up; /cpu answers the microseconds this process has used.
const { Provider } = require('ltijs')
const Database = require('ltijs-sequelize')

const { port, database, platform } = JSON.parse(process.argv[2])
const store = new Database(database.name, database.user, '', {
  host: '127.0.0.1', port: database.port, dialect: 'postgres', logging: false
})
Provider.setup('a key of thirty-two characters or more', { plugin: store }, {
  appRoute: '/lti/launch', loginRoute: '/lti/login', cookies: { secure: false, sameSite: 'Lax' }
})
Provider.onConnect((token, request, response) => response.send('here'))
Provider.whitelist('/cpu')
Provider.app.get('/cpu', (request, response) => {
  const { user, system } = process.cpuUsage()
  response.json(user + system)
})
Provider.deploy({ port, silent: true })
  .then(() => Provider.registerPlatform(platform))
  .then(() => console.log('ready'))
