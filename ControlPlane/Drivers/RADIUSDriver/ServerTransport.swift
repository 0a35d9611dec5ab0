// SPDX-License-Identifier: Apache-2.0
// What carries packets to one server: lanes (sockets or connections) of 256 identifiers each.

import NIOCore

/// A lane and one of its identifiers, taken by one request at a time.
struct RequestPlace: Hashable {
    /// Never used again once its lane is gone.
    var lane: Int
    var identifier: UInt8
}

/// Carries packets. Everything happens on the client's loop.
protocol ServerTransport: AnyObject {
    /// Packets get there or the lane is lost: nothing is sent twice.
    var isReliable: Bool { get }
    /// It makes sense to choose this server now.
    var isReady: Bool { get }
    /// Opens the first lane. The future fails if that never can work.
    func start() -> EventLoopFuture<Void>
    /// A place for a request, or nil: `ServerLink.placesAvailable` is called when there are more.
    func reserve() -> RequestPlace?
    func release(_ place: RequestPlace)
    func send(_ bytes: [UInt8], at place: RequestPlace)
    /// The server is silent: connections are opened anew.
    func reset()
    func stop()
}

/// The free places of all lanes. The one free for longest is taken first, so that an answer that comes late meets an
/// identifier nobody uses rather than another request.
struct PlaceQueue {
    private var places = CircularBuffer<RequestPlace>()
    private var lanes: Set<Int> = []
    private var nextLane = 0

    var laneCount: Int { self.lanes.count }
    func holds(_ lane: Int) -> Bool { self.lanes.contains(lane) }

    mutating func addLane() -> Int {
        let lane = self.nextLane
        self.nextLane += 1
        self.lanes.insert(lane)
        for identifier in UInt8.min...UInt8.max { self.places.append(RequestPlace(lane: lane, identifier: identifier)) }
        return lane
    }

    mutating func removeLane(_ lane: Int) {
        self.lanes.remove(lane)
        self.places = CircularBuffer(self.places.filter { $0.lane != lane })
    }

    mutating func take() -> RequestPlace? { self.places.popFirst() }

    mutating func giveBack(_ place: RequestPlace) {
        if self.lanes.contains(place.lane) { self.places.append(place) }
    }
}
