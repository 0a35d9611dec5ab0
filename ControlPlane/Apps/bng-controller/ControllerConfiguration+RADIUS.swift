// SPDX-License-Identifier: Apache-2.0
// `radius:` in the words of the RADIUS driver.

import BNGConfiguration
import RADIUS
import RADIUSContract
import RADIUSDriver

extension ControllerConfiguration {
    /// nil: no RADIUS is configured.
    var radiusClient: RADIUSConfiguration? {
        guard let settings = self.radius else { return nil }
        var configuration = RADIUSConfiguration(
            servers: settings.servers.map(\.driver), authentication: settings.authentication.driver,
            accounting: settings.accounting.driver)
        configuration.liveness.deadMs = Int64(settings.deadMs)
        configuration.liveness.probeMs = Int64(settings.probeMs)
        configuration.profile = settings.profile
        configuration.mapping = settings.mapping
        configuration.passwordFile = settings.passwordFile
        configuration.sourceAddress = settings.sourceAddress
        configuration.limits.sockets = settings.sockets
        configuration.limits.requests = settings.requests
        return configuration
    }

    /// nil: nobody may change authorizations.
    var dynamicAuthorization: DynamicAuthorizationConfiguration? {
        guard let radius = self.radius, let settings = radius.dynamicAuthorization else { return nil }
        var configuration = DynamicAuthorizationConfiguration(
            host: settings.listen.host, port: settings.listen.port,
            clients: settings.clients.map { client in
                var entry = DynamicAuthorizationConfiguration.Client(
                    address: client.address, secretFile: client.secretFile)
                entry.requiresMessageAuthenticator = client.requiresMessageAuthenticator
                return entry
            })
        configuration.windowSeconds = Int64(settings.window.value)
        configuration.nasAddress = radius.nasAddress
        configuration.mapping = radius.mapping
        return configuration
    }
}

extension RADIUSSettings {
    fileprivate var mapping: AttributeMapping {
        AttributeMapping(rules: self.rules, minimumInterim: self.minimumInterim)
    }

    fileprivate var profile: NASProfile {
        var profile = NASProfile()
        profile.address = self.nasAddress
        profile.identifier = self.nasIdentifier
        profile.portType = self.nasPortType
        profile.calledStation = self.calledStation
        profile.stationFormat = self.stationFormat
        profile.planAttribute = self.planAttribute?.key
        profile.ipv6Accounting = self.ipv6Accounting
        profile.authenticatesHere = self.authentication.servers.isEmpty
        return profile
    }
}

extension RADIUSSettings.Group {
    fileprivate var driver: RADIUSConfiguration.Group {
        RADIUSConfiguration.Group(
            servers: self.servers, policy: self.policy == .failOver ? .failOver : .loadBalance,
            totalMs: Int64(self.totalMs))
    }
}

extension RADIUSSettings.Server {
    fileprivate var driver: RADIUSConfiguration.Server {
        let transport: RADIUSConfiguration.Transport =
            switch self.transport {
            case .udp(let address, let authenticationPort, let accountingPort, let secretFile):
                .udp(
                    address: address, authenticationPort: authenticationPort, accountingPort: accountingPort,
                    secretFile: secretFile)
            case .tls(let address, let certificate, let key, let authority):
                .tls(host: address.host, port: address.port, certificate: certificate, key: key, authority: authority)
            }
        var server = RADIUSConfiguration.Server(name: self.name, transport: transport)
        server.timeoutMs = Int64(self.timeoutMs)
        server.retries = self.retries
        server.usesStatusServer = self.usesStatusServer
        server.requiresMessageAuthenticator = self.requiresMessageAuthenticator
        return server
    }
}
