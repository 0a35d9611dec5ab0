// SPDX-License-Identifier: Apache-2.0
// Which services an access concentrator offers.

/// What a Service-Name may ask for.
public struct PPPoEServiceRules: Equatable, Sendable {
    /// Offered besides the empty name.
    public var names: [String]
    /// Whatever is asked for is served.
    public var anyService: Bool

    public init(names: [String] = [], anyService: Bool = true) {
        self.names = names
        self.anyService = anyService
    }

    /// Whether a PADR may ask for it. The empty name means any service (RFC 2516 5.1) and is always served.
    public func accepts(_ serviceName: [UInt8]) -> Bool {
        serviceName.isEmpty || self.anyService || self.names.contains { $0.utf8.elementsEqual(serviceName) }
    }
}
