// SPDX-License-Identifier: Apache-2.0
// Filters to the wire and back (docs/contract.md section 7).

import AgentProto
import BNGCore
import Fleet
import Foundation

extension Wire.Filter {
    init(_ filter: PacketFilter) {
        self.init()
        self.rules = filter.rules.map(Wire.FilterRule.init)
        self.defaultAction = Wire.FilterAction(filter.defaultAction)
    }
}

extension Wire.FilterRule {
    init(_ rule: FilterRule) {
        self.init()
        self.action = Wire.FilterAction(rule.action)
        switch rule.direction {
        case .up: self.direction = .up
        case .down: self.direction = .down
        case .both: self.direction = .both
        }
        if let remote = rule.remote {
            self.remotePrefix = Data(remote.address.bytes)
            self.remotePrefixLength = UInt32(remote.length)
        }
        self.`protocol` = UInt32(rule.protocolNumber)
        if let ports = rule.remotePorts {
            self.remotePortFirst = UInt32(ports.lowerBound)
            self.remotePortLast = UInt32(ports.upperBound)
        }
    }
}

extension Wire.FilterAction {
    init(_ action: FilterAction) {
        switch action {
        case .permit: self = .permit
        case .deny: self = .deny
        }
    }
}

extension PacketFilter {
    init(_ filter: Wire.Filter) throws(ContractError) {
        guard filter.rules.count <= Self.ruleLimit else { throw invalid("at most \(Self.ruleLimit) rules", "18.1") }
        var rules: [FilterRule] = []
        for rule in filter.rules { rules.append(try FilterRule(rule)) }
        self.init(rules: rules, defaultAction: try FilterAction(filter.defaultAction, path: "18.2"))
    }
}

extension FilterAction {
    fileprivate init(_ action: Wire.FilterAction, path: String) throws(ContractError) {
        switch action {
        case .permit: self = .permit
        case .deny: self = .deny
        case .unspecified: throw invalid("no action", path)
        case .UNRECOGNIZED: throw unsupported(path)
        }
    }
}

extension FilterDirection {
    fileprivate init(_ direction: Wire.FilterDirection) throws(ContractError) {
        switch direction {
        case .up: self = .up
        case .down: self = .down
        case .both: self = .both
        case .unspecified: throw invalid("no direction", "18.1.2")
        case .UNRECOGNIZED: throw unsupported("18.1.2")
        }
    }
}

extension FilterRule {
    fileprivate init(_ rule: Wire.FilterRule) throws(ContractError) {
        guard let protocolNumber = UInt8(exactly: rule.`protocol`) else {
            throw invalid("an IP protocol number is 0-255", "18.1.5")
        }
        self.init(
            action: try FilterAction(rule.action, path: "18.1.1"), direction: try FilterDirection(rule.direction),
            remote: try decodeRemote(rule), protocolNumber: protocolNumber,
            remotePorts: try decodePorts(rule, protocolNumber))
    }
}

private func decodeRemote(_ rule: Wire.FilterRule) throws(ContractError) -> IPPrefix? {
    if rule.remotePrefix.isEmpty {
        guard rule.remotePrefixLength == 0 else { throw invalid("a length without a prefix", "18.1.4") }
        return nil
    }
    guard let address = IPAddress(rule.remotePrefix) else { throw invalid("a prefix has 4 or 16 bytes", "18.1.3") }
    guard (1...(address.isIPv6 ? 128 : 32)).contains(rule.remotePrefixLength) else {
        throw invalid("remote_prefix_length is 1-32 or 1-128 with a prefix", "18.1.4")
    }
    guard let prefix = IPPrefix(address, length: Int(rule.remotePrefixLength)) else {
        throw invalid("host bits are set", "18.1.3")
    }
    return prefix
}

private func decodePorts(
    _ rule: Wire.FilterRule, _ protocolNumber: UInt8
) throws(ContractError) -> ClosedRange<UInt16>? {
    if rule.remotePortFirst == 0, rule.remotePortLast == 0 { return nil }
    guard FilterRule.protocolsWithPorts.contains(protocolNumber) else {
        throw invalid("ports need a protocol that has them: 6, 17, 33, 132 or 136", "18.1.6")
    }
    guard let first = UInt16(exactly: rule.remotePortFirst), first > 0 else {
        throw invalid("a port is 1-65535", "18.1.6")
    }
    guard let last = UInt16(exactly: rule.remotePortLast), first <= last else {
        throw invalid("the last port is at most 65535 and not below the first", "18.1.7")
    }
    return first...last
}
