// SPDX-License-Identifier: Apache-2.0
// Fleet values to wire objects.

import AgentProto
import BNGCore
import Fleet
import Foundation

extension Wire.Object {
    /// The wire form of a desired object.
    public init(_ object: DesiredObject) {
        self.init()
        self.objectID = object.id
        self.generation = object.generation
        switch object.body {
        case .port(let port): self.body = .port(Wire.Port(port))
        case .serverIdentity(let identity): self.body = .serverIdentity(Wire.ServerIdentity(identity))
        case .poolTemplate(let template): self.body = .poolTemplate(Wire.PoolTemplate(template))
        case .nextHop(let hop): self.body = .nextHop(Wire.NextHop(hop))
        case .route(let route): self.body = .route(Wire.Route(route))
        case .guardRates(let rates): self.body = .guardRates(Wire.GuardRates(rates))
        case .session(let session): self.body = .session(Wire.Session(session))
        case .filter(let filter): self.body = .filter(Wire.Filter(filter))
        case .pppoeService(let service): self.body = .pppoeService(Wire.PPPoEService(service))
        case .natPolicy(let policy): self.body = .natPolicy(Wire.NATPolicy(policy))
        }
    }
}

extension Wire.Family {
    public init(_ family: ObjectFamily) {
        switch family {
        case .port: self = .port
        case .serverIdentity: self = .serverIdentity
        case .poolTemplate: self = .poolTemplate
        case .nextHop: self = .nextHop
        case .route: self = .route
        case .guardRates: self = .guardRates
        case .session: self = .session
        case .filter: self = .filter
        case .pppoeService: self = .pppoeService
        case .natPolicy: self = .natPolicy
        }
    }

    /// nil for a family this side does not know.
    public var family: ObjectFamily? { UInt16(exactly: self.rawValue).flatMap(ObjectFamily.init(rawValue:)) }
}

extension Wire.PuntClass {
    public init(_ puntClass: PuntClass) {
        switch puntClass {
        case .dhcpv4: self = .dhcpv4
        case .arp: self = .arp
        case .neighbor: self = .neighbor
        case .pppoe: self = .pppoe
        case .ppp: self = .ppp
        case .held: self = .held
        case .fragment: self = .fragment
        case .nd: self = .nd
        case .dhcpv6: self = .dhcpv6
        case .natPorts: self = .natPorts
        case .natFragment: self = .natFragment
        case .natALG: self = .natAlg
        case .pcp: self = .pcp
        }
    }

    /// nil for a class this side does not know.
    public var puntClass: PuntClass? { UInt8(exactly: self.rawValue).flatMap(PuntClass.init(rawValue:)) }
}

extension Wire.Port {
    init(_ port: PortPolicy) {
        self.init()
        self.name = port.name
        self.role = port.role == .access ? .access : .core
        self.vrf = port.vrf
        self.mtuBytes = port.mtu
        guard port.role == .access else { return }
        self.accessDomainID = port.accessDomain
        switch port.relayTrust {
        case .none: self.relayTrust = .none
        case .accessNode: self.relayTrust = .accessNode
        case .relays: self.relayTrust = .relays
        }
        self.trustedRelays = port.trustedRelays.map { Data($0.bytes) }
        self.ipv6LinkLocal = Data(port.linkLocal?.bytes ?? [])
        self.refusedExtensionHeaders = port.refusedExtensionHeaders.map(UInt32.init)
    }
}

extension Wire.ServerIdentity {
    init(_ identity: ServerIdentity) {
        self.init()
        self.vrf = identity.vrf
        self.ipv4Address = Data(identity.address.bytes)
        self.ipv6Address = Data(identity.ipv6?.bytes ?? [])
    }
}

extension Wire.PoolTemplate {
    init(_ template: PoolTemplate) {
        self.init()
        self.vrf = template.vrf
        self.serverIdentityID = template.serverIdentityID
        self.gateway = Data(template.gateway.bytes)
        self.prefixLength = UInt32(template.prefixLength)
        self.leaseSeconds = template.lease.value
        self.renewalSeconds = template.renewal.value
        self.rebindingSeconds = template.rebinding.value
        self.options = template.options.map { option in
            .with {
                $0.code = UInt32(option.code)
                $0.data = Data(option.data)
            }
        }
    }
}

extension Wire.NextHop {
    init(_ hop: NextHop) {
        self.init()
        switch hop {
        case .kernel: self.kind = .kernel
        case .gateway(let address, let port):
            self.kind = .gateway
            self.port = port
            switch address {
            case .v4(let address): self.ipv4Address = Data(address.bytes)
            case .v6(let address): self.ipv6Address = Data(address.bytes)
            }
        }
    }
}

extension Wire.Route {
    init(_ route: Route) {
        self.init()
        self.vrf = route.vrf
        self.prefix = Data(route.prefix.address.bytes)
        self.prefixLength = UInt32(route.prefix.length)
        switch route.target {
        case .subscribers: self.kind = .subscribers
        case .blackhole: self.kind = .blackhole
        case .nat: self.kind = .nat
        case .nextHop(let id):
            self.kind = .nextHop
            self.nextHopID = id
        case .untranslated(let id):
            self.kind = .untranslated
            self.nextHopID = id
        }
    }
}

extension Wire.GuardRates {
    init(_ rates: [GuardRate]) {
        self.init()
        self.rates = rates.map { rate in
            .with {
                $0.puntClass = Wire.PuntClass(rate.puntClass)
                $0.linePacketsPerSecond = rate.linePacketsPerSecond
                $0.lineBurstPackets = rate.lineBurst
                $0.portPacketsPerSecond = rate.portPacketsPerSecond
                $0.portBurstPackets = rate.portBurst
            }
        }
    }
}

extension Wire.Session {
    init(_ session: InstalledSession) {
        self.init()
        self.line = Wire.Line(session)
        self.vrf = session.vrf
        self.antiSpoof = session.antiSpoof == .strict ? .strict : .log
        self.endsUnixMs = UInt64(bitPattern: session.ends.milliseconds)
        if let rate = session.rateUp { self.rateUp = Wire.Rate(rate) }
        if let rate = session.rateDown { self.rateDown = Wire.Rate(rate) }
        self.filterID = session.filterID
        self.idleTimeoutSeconds = session.idleTimeout.value
        if let pppoe = session.pppoe { self.pppoe = Wire.SessionPPPoE(pppoe, id: session.line.pppoeID) }
        if let ipv6 = session.ipv6 { self.ipv6 = Wire.SessionIPv6(ipv6) }
        // A session without an address is a known line that forwards no IPv4.
        guard session.address != .zero else { return }
        self.ipv4 = .with {
            $0.address = Data(session.address.bytes)
            $0.poolTemplateID = session.poolTemplateID
            $0.dhcpFastPath = session.dhcpFastPath
            $0.clientID = Data(session.clientID)
            $0.option82 = Data(session.option82)
            $0.leaseExpiresUnixMs = UInt64(bitPattern: session.leaseExpires.milliseconds)
            $0.framedRoutes = session.framedRoutes.map(Wire.FramedRoute.init)
            if let nat = session.nat { $0.nat = Wire.SessionNAT(nat) }
        }
    }
}

extension Wire.Rate {
    init(_ rate: LineRate) {
        self.init()
        self.bitsPerSecond = rate.bitsPerSecond
        self.burstBytes = rate.burstBytes
    }
}

extension Wire.FramedRoute {
    init(_ route: IPv4Prefix) {
        self.init()
        self.prefix = Data(route.address.bytes)
        self.prefixLength = UInt32(route.length)
    }
}

extension Wire.Line {
    init(_ session: InstalledSession) {
        self.init()
        self.accessDomainID = session.line.accessDomain
        self.sVlan = UInt32(session.line.sVLAN)
        self.cVlan = UInt32(session.line.cVLAN)
        self.sTpid = UInt32(session.tags.sTPID)
        self.cTpid = UInt32(session.tags.cTPID)
        self.mac = Data(session.line.mac.bytes)
        guard session.line.relay != .zero else { return }
        self.relayAddress = Data(session.line.relay.bytes)
        self.relayMac = Data(session.relayMAC.bytes)
    }
}
