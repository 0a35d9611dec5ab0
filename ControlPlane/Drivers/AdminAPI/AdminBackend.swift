// SPDX-License-Identifier: Apache-2.0
// What the operator API asks of the controller; the app answers.

import AdminContract

/// The controller behind the API. Called from any thread.
public protocol AdminBackend: Sendable {
    func nodes() async throws -> [NodeView]
    func ports() async throws -> [PortView]
    func sessions(_ query: SessionQuery) async throws -> SessionPage
    /// nil: there is no such session, live or ended. With live counters if its node answers.
    func session(_ id: String) async throws -> SessionView?
    func pools() async throws -> [PoolView]
    func natPools() async throws -> [NATPoolView]
    /// Where NAT records are sent.
    func natRecordOutputs() async throws -> [NATRecordOutputView]
    /// Who held a port of a public address.
    func natHolders(_ query: NATQuery) async throws -> [NATHolderView]
    /// nil: there is no such live session.
    func forwards(of id: String) async throws -> [NATForwardView]?
    /// Such as tcp:5000:80; false: there is no such live session.
    func forward(_ text: String, to id: String) async throws -> Bool
    /// Such as tcp:5000.
    func unforward(_ text: String, of id: String) async throws -> Bool
    /// Packets carried to the controller, and what became of them.
    func punts() async throws -> [CounterView]
    func drops() async throws -> [CounterView]
    func audits() async throws -> [AuditView]
    /// Ended sessions, newest first; of one user if given.
    func history(beforeMs: Int64?, user: String?, limit: Int) async throws -> [SessionView]
    func aaa() async throws -> AAAView
    func dhcpServers() async throws -> [DHCPServersView]
    func plans() async throws -> [PlanView]
    /// false: there is no such session.
    func clearSession(_ id: String) async throws -> Bool
    /// nil: there is no such node.
    func clearQuarantine(node: String) async throws -> Int?
    /// Begins an audit of every connected node; returns how many are.
    func audit() async throws -> Int
    /// Local subscribers by name, those after `after`.
    func subscribers(after: String?, limit: Int) async throws -> SubscriberPage
    /// nil: there is no such subscriber.
    func subscriber(_ name: String) async throws -> SubscriberView?
    func addSubscriber(_ name: String, _ settings: SubscriberSettings) async throws -> SubscriberView
    func changeSubscriber(_ name: String, _ settings: SubscriberSettings) async throws -> SubscriberView
    func removeSubscriber(_ name: String) async throws
    func passwordRecord(_ request: PasswordRequest) async throws -> PasswordRecordView
    /// Keys that asked to be nodes.
    func enrolments() async throws -> [EnrolmentView]
    /// - Parameter id: the beginning of a fingerprint, a serial or a name.
    func decide(_ decision: EnrolmentDecision, on id: String) async throws -> ActionView
    /// Why the controller cannot serve; empty: ready.
    func obstacles() async -> [String]
    /// The text of a scrape.
    func metrics() async -> String
}

/// What an operator makes of a node that asks to be let in.
public enum EnrolmentDecision: Sendable, Equatable {
    /// Empty: the name it asked for.
    case approve(node: String)
    case reject
    case forget
}

/// Why a change was refused, in words for the operator.
public enum AdminRefusal: Error, Sendable, Equatable, CustomStringConvertible {
    case invalid(String)
    /// It does not fit what there is already.
    case conflict(String)
    case unknownSubscriber(String)

    public var description: String {
        switch self {
        case .invalid(let words), .conflict(let words): return words
        case .unknownSubscriber(let name): return "there is no subscriber \(name)"
        }
    }
}
